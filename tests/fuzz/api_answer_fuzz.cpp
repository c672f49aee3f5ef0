// The API's answers: status, headers and a body, as a hostile server can send them. The input reads like the answer
// itself: a status line, header lines, an empty line, the body.
// Claims: an answer that counts has credible usage and text within the bound; how the bytes were cut on the way
// changes nothing.

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "claude/api/wire.hpp"
#include "messages/price.hpp"
#include "tests/fuzz/harness.hpp"

namespace cohort::fuzz {

namespace {

constexpr wall_time now{1'795'000'000'000};

claude::wire_settings bounds() {
  claude::wire_settings settings;
  settings.answer_bytes = 4096;
  settings.error_bytes = 4096;
  settings.json_depth = 16;
  settings.json_values = 1000;
  settings.content_blocks = 16;
  settings.tokens_in_one_answer = 10'000'000;
  return settings;
}

/// Lower-case names and printable values: what libcurl hands on.
claude::http_end read_head(std::string_view& text) {
  claude::http_end end;
  end.sent_whole = true;
  const auto first = take_line(text);
  for (const char c : first)
    if (c >= '0' && c <= '9' && end.head.status < 1000)
      end.head.status = static_cast<uint16_t>(end.head.status * 10 + (c - '0'));
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.empty()) break;
    const auto colon = std::min(line.find(": "), line.size());
    std::string name{line.substr(0, colon)};
    for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    end.head.fields.emplace_back(name, std::string{line.substr(std::min(colon + 2, line.size()))});
  }
  return end;
}

claude::completion_result read_in_pieces(const claude::http_end& end, std::string_view body, size_t piece,
                                         cache_mode cache) {
  claude::answer_reader reader{bounds(), cache};
  auto ended = end;
  while (!body.empty()) {
    const auto bytes = body.substr(0, piece);
    body.remove_prefix(bytes.size());
    const auto wish = reader.feed(end.head, bytes);
    holds(reader.buffered() <= 4 * bounds().answer_bytes + piece, "what is buffered is bounded");
    if (wish == claude::reader_demand::refuse) {
      ended.code = ec::malformed_answer;
      ended.message = "the body breaks a bound";
    }
    if (wish != claude::reader_demand::more) break;
  }
  return reader.finish(ended, now);
}

void check_completion(const completion& answer) {
  holds(is_utf8(answer.text), "the text is UTF-8");
  holds(is_utf8(answer.model) && answer.model.size() < 250, "the model's name can be stored and shown");
  holds(answer.text.size() <= bounds().answer_bytes, "the text is within the bound");
  const auto most = bounds().tokens_in_one_answer;
  for (const auto count : {answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cache_read_tokens,
                           answer.usage.cache_write_5m_tokens, answer.usage.cache_write_1h_tokens})
    holds(count <= 2 * most, "counts are credible");
}

void check_failure(const call_failure& failure) {
  holds(failure.code != ec::none, "a failure has a name");
  holds(is_utf8(failure.message) && failure.message.size() < 2000, "the message can be shown");
  holds(is_utf8(failure.text), "what was said is UTF-8");
  holds(failure.retry_after.count() >= 0 && failure.retry_after <= std::chrono::hours{24}, "a wish is bounded");
}

void check_same(const claude::completion_result& a, const claude::completion_result& b) {
  holds(a.has_value() == b.has_value(), "cutting does not change whether an answer counts");
  if (a)
    holds(a->text == b->text && a->usage == b->usage && a->stop == b->stop, "cutting does not change the answer");
  else
    holds(a.error().billed == b.error().billed, "cutting does not change what may be billed");
}

}  // namespace

void run(std::string_view input) {
  const auto choice = hash_of(input);
  auto body = input;
  auto end = read_head(body);
  if (choice % 5 == 0) {
    end.code = ec::connection_lost;
    end.message = "the connection was lost";
  }
  const auto cache = static_cast<cache_mode>(choice % 3);
  const auto whole = read_in_pieces(end, body, body.size(), cache);
  whole ? check_completion(*whole) : check_failure(whole.error());
  const auto small = 1 + choice / 7 % 40;
  if (body.size() < bounds().answer_bytes) check_same(whole, read_in_pieces(end, body, small, cache));
  check_failure(decode_failure(end, body, bounds(), now));
  const auto limits = decode_rate_limits(end.head);
  holds(limits.tokens.remaining <= limits.tokens.limit, "no more remains than there is");
  if (const auto count = decode_token_count(end, body, bounds(), now); !count) check_failure(count.error());
  if (const auto facts = decode_model(end, body, bounds(), now)) holds(!facts->id.empty(), "a model has a name");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
