// Reads and checks message requests. The checks have the order of the documented fields; texts are copied once, into
// buffers that are reused.

#include "simulator/api/message_request.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/digest.hpp"

namespace cohort::simulator {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr uint64_t envelope_tokens = 7;  ///< What the API adds around the texts.
constexpr size_t most_breakpoints = 4;

bool refuse(api_problem& problem, std::string message) {
  problem = {400, "invalid_request_error", std::move(message)};
  return false;
}

uint64_t first_eight_bytes(const digest& value) noexcept {
  uint64_t hash = 0;
  for (size_t i = 0; i < 8; ++i) hash = hash << 8 | value.bytes[i];
  return hash;
}

/// Nothing if absent or not an object.
std::optional<element> member(const element& object, std::string_view key) {
  element found;
  return object.at_key(key).get(found) == simdjson::SUCCESS ? std::optional{found} : std::nullopt;
}

std::optional<element> present(const element& object, std::string_view key) {
  const auto found = member(object, key);
  return found && !found->is_null() ? found : std::nullopt;
}

/// Empty if it is not a string.
std::string_view text_of(const element& value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

}  // namespace

message_reader::message_reader(const price_list& prices)
    : prices_(&prices), parser_(std::make_unique<simdjson::dom::parser>()) {}

message_reader::~message_reader() = default;

uint64_t message_request::prompt_tokens() const noexcept { return tokens_of(prompt_bytes) + envelope_tokens; }

bool message_reader::read(std::string_view body, std::string_view version, request_use use, message_request& out,
                          api_problem& problem) {
  element root;
  const auto failure = parser_->parse(body.data(), body.size()).get(root);
  if (failure == simdjson::UTF8_ERROR) return refuse(problem, "The request body is not valid UTF-8");
  if (failure != simdjson::SUCCESS) return refuse(problem, "The request body is not valid JSON");
  out.model = nullptr;
  out.max_tokens = 0;
  out.stream = out.us_inference = false;
  out.prompt_bytes = 0;
  out.text.clear();
  out.breakpoints.clear();
  if (!root.is_object()) return refuse(problem, "The request body must be a JSON object");
  if (!read_model(root, out, problem) || !read_parameters(root, version, use, out, problem)) return false;
  system_.clear();
  hashed_ = marked_length_ = 0;
  system_pending_ = false;
  chain_ = first_eight_bytes(sha256(out.model->id));
  if (!read_system(root, out, problem)) return false;
  system_hashed_ = hashed_;
  system_pending_ = true;
  hashed_ = 0;
  marked_length_ = system_.size();
  if (!read_messages(root, out, problem)) return false;
  out.prompt_bytes = system_.size() + out.text.size();
  const uint64_t tokens = out.prompt_tokens();
  if (tokens > out.model->context_tokens)
    return refuse(problem,
                  fmt::format("prompt is too long: {} tokens > {} maximum", tokens, out.model->context_tokens));
  return true;
}

bool message_reader::read_model(const element& root, message_request& out, api_problem& problem) const {
  const auto model = member(root, "model");
  if (!model) return refuse(problem, "model: Field required");
  if (!model->is_string()) return refuse(problem, "model: Input should be a valid string");
  out.model = prices_->find(text_of(*model));
  if (out.model != nullptr) return true;
  problem = {404, "not_found_error", fmt::format("model: {}", text_of(*model))};
  return false;
}

bool message_reader::read_parameters(const element& root, std::string_view version, request_use use,
                                     message_request& out, api_problem& problem) const {
  if (use != request_use::count_tokens) {
    const auto most = member(root, "max_tokens");
    if (!most) return refuse(problem, "max_tokens: Field required");
    int64_t value = 0;
    if (most->get_int64().get(value) != simdjson::SUCCESS)
      return refuse(problem, "max_tokens: Input should be a valid integer");
    if (value < 1) return refuse(problem, "max_tokens: Input should be greater than or equal to 1");
    out.max_tokens = static_cast<uint64_t>(value);
    if (out.max_tokens > out.model->max_output_tokens)
      return refuse(problem,
                    fmt::format("max_tokens: {} > {}, which is the maximum allowed number of output tokens for {}",
                                value, out.model->max_output_tokens, out.model->id));
  }
  if (const auto stream = present(root, "stream")) {
    if (!stream->is_bool()) return refuse(problem, "stream: Input should be a valid boolean");
    out.stream = stream->get_bool().value_unsafe();
  }
  for (const std::string_view key : {"temperature", "top_p", "top_k"}) {
    const auto sampling = present(root, key);
    if (!sampling) continue;
    if (version == "2026-10-21" || !out.model->accepts_sampling)
      return refuse(problem,
                    fmt::format("{}: sampling parameters are not supported by this model or API version", key));
    if (!sampling->is_number()) return refuse(problem, fmt::format("{}: Input should be a valid number", key));
  }
  if (const auto geo = present(root, "inference_geo")) out.us_inference = text_of(*geo) == "us";
  return true;
}

bool message_reader::read_system(const element& root, message_request& out, api_problem& problem) {
  const auto system = present(root, "system");
  return !system || read_content(*system, "system", system_, out, problem);
}

bool message_reader::read_messages(const element& root, message_request& out, api_problem& problem) {
  const auto messages = member(root, "messages");
  if (!messages) return refuse(problem, "messages: Field required");
  array list;
  if (messages->get_array().get(list) != simdjson::SUCCESS)
    return refuse(problem, "messages: Input should be a valid list");
  if (list.begin() == list.end()) return refuse(problem, "messages: at least one message is required");
  size_t index = 0;
  std::string_view role;
  for (const element message : list) {
    const std::string where = fmt::format("messages.{}", index);
    const auto speaker = member(message, "role");
    if (!speaker || !speaker->is_string()) return refuse(problem, where + ".role: Field required");
    role = text_of(*speaker);
    if (role != "user" && role != "assistant")
      return refuse(problem, where + ".role: Input should be 'user' or 'assistant'");
    if (index == 0 && role != "user") return refuse(problem, "messages: first message must use the \"user\" role");
    const auto content = member(message, "content");
    if (!content) return refuse(problem, where + ".content: Field required");
    const size_t before = out.text.size();
    if (!read_content(*content, where + ".content", out.text, out, problem)) return false;
    if (out.text.size() == before && role == "user")
      return refuse(problem, where + ": user messages must have non-empty content");
    ++index;
  }
  if (role == "assistant" && !out.model->accepts_prefill)
    return refuse(problem,
                  "This model does not support assistant message prefill. "
                  "The conversation must end with a user message.");
  return true;
}

bool message_reader::read_content(const element& content, const std::string& where, std::string& text,
                                  message_request& out, api_problem& problem) {
  if (content.is_string()) {
    text.append(text_of(content));
    return true;
  }
  array blocks;
  if (content.get_array().get(blocks) != simdjson::SUCCESS)
    return refuse(problem, where + ": Input should be a valid string or list");
  size_t index = 0;
  for (const element block : blocks)
    if (!read_block(block, fmt::format("{}.{}", where, index++), text, out, problem)) return false;
  return true;
}

bool message_reader::read_block(const element& block, const std::string& where, std::string& text, message_request& out,
                                api_problem& problem) {
  const auto type = member(block, "type");
  if (!type || !type->is_string()) return refuse(problem, where + ".type: Field required");
  if (text_of(*type) == "text") {
    const auto value = member(block, "text");
    if (!value || !value->is_string()) return refuse(problem, where + ".text: Input should be a valid string");
    text.append(text_of(*value));
  } else {
    text.append(simdjson::minify(block));  // Other blocks are counted by their size; the simulator reads only text.
  }
  const auto control = present(block, "cache_control");
  if (!control) return true;
  const auto kind = member(*control, "type");
  if (!kind || text_of(*kind) != "ephemeral")
    return refuse(problem, where + ".cache_control.type: Input should be 'ephemeral'");
  if (const auto ttl = present(*control, "ttl"); ttl && text_of(*ttl) != "5m" && text_of(*ttl) != "1h")
    return refuse(problem, where + ".cache_control.ttl: Input should be '5m' or '1h'");
  if (out.breakpoints.size() == most_breakpoints)
    return refuse(problem, "A maximum of 4 blocks with cache_control may be provided");
  mark(*control, text, out);
  return true;
}

void message_reader::mark(const element& control, std::string_view text, message_request& out) {
  if (system_pending_) {  // the rest of `system` comes before any mark in the messages
    chain_ =
        first_eight_bytes(sha256_of_fields({std::to_string(chain_), std::string_view{system_}.substr(system_hashed_)}));
    system_pending_ = false;
  }
  chain_ = first_eight_bytes(sha256_of_fields({std::to_string(chain_), text.substr(hashed_)}));
  hashed_ = text.size();
  const auto ttl = present(control, "ttl");
  out.breakpoints.push_back({chain_, tokens_of(marked_length_ + text.size()),
                             ttl && text_of(*ttl) == "1h" ? cache_ttl::one_hour : cache_ttl::five_minutes});
}

}  // namespace cohort::simulator
