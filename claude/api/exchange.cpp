// Implements libcurl's callbacks for one exchange.

#include "claude/api/exchange.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include <fmt/format.h>
#include <boost/algorithm/string/case_conv.hpp>

#include "base/log.hpp"
#include "base/text.hpp"

namespace cohort::claude {

namespace {

constexpr long upload_buffer = 16L * 1024;    // The least that libcurl allows; a body is copied through it once.
constexpr long download_buffer = 16L * 1024;  // Kept while a request is in flight, so not larger.
constexpr long keepalive_after_s = 60;

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && std::strchr(" \t\r\n", text.back()) != nullptr) text.remove_suffix(1);
  return text;
}

bool means_something(std::string_view name) {
  for (const auto* known :
       {"request-id", "retry-after", "retry-after-ms", "x-should-retry", "content-type", "location", "date"})
    if (name == known) return true;
  return name.substr(0, 20) == "anthropic-ratelimit-";
}

bool is_loopback(std::string_view url) {
  const auto host = url.substr(std::min(url.size(), url.find("://") + 3));
  for (const auto* local : {"127.", "localhost", "[::1]"})
    if (host.substr(0, std::strlen(local)) == local) return true;
  return false;
}

}  // namespace

exchange::exchange(uint64_t id, http_call call, std::shared_ptr<reply_reader> reader, transport::on_done done)
    : id_(id), call_(std::move(call)), reader_(std::move(reader)), done_(std::move(done)) {}

exchange::~exchange() {
  if (budget_ != nullptr) budget_->used -= counted_;
  curl_slist_free_all(header_list_);
}

void exchange::prepare(CURL* easy, const transport_options& options) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, keepalive_after_s);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, keepalive_after_s);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, download_buffer);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.settings.connect_timeout.count()));
  // The shorter a connection may idle, the less often a server closes it at the moment when it is used again.
  const auto idle = std::chrono::ceil<std::chrono::seconds>(options.settings.idle_connection).count();
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(idle));
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &exchange::give);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &exchange::take);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &exchange::take_header);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &exchange::before_request);
}

void exchange::begin(CURL* easy, const transport_options& options, memory_budget& budget, milliseconds remaining,
                     std::function<void(uint64_t)>* on_complete) {
  easy_ = easy;
  budget_ = &budget;
  on_complete_ = on_complete;
  header_limit_ = options.header_bytes;
  header_lines_limit_ = options.header_lines;
  for (const auto& line : call_.headers) header_list_ = curl_slist_append(header_list_, line.c_str());
  header_list_ = curl_slist_append(header_list_, "Expect:");  // No waiting for "100 Continue".
  curl_easy_setopt(easy, CURLOPT_URL, call_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header_list_);
  if (call_.method == http_method::post) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
  } else {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  }
  // Over TLS it is worth waiting to see whether the first connection takes many streams. Without TLS the protocol is
  // HTTP/1.1, and waiting would hold all requests until the first answer.
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, call_.url.substr(0, 6) == "https:" ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY,
                   is_loopback(call_.url)  ? ""
                   : options.proxy.empty() ? nullptr
                                           : options.proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(1, remaining.count())));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, complaint_.data());
  for (const auto option :
       {CURLOPT_READDATA, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_PREREQDATA, CURLOPT_PRIVATE})
    curl_easy_setopt(easy, option, this);
}

milliseconds exchange::remaining(steady_time now) const noexcept {
  return call_.timeout - std::chrono::duration_cast<milliseconds>(now - submitted_);
}

CURL* exchange::release() noexcept {
  CURL* easy = easy_;
  easy_ = nullptr;
  if (easy == nullptr) return nullptr;
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  return easy;
}

int exchange::before_request(void* self, char*, char*, int, int) {
  auto& x = *static_cast<exchange*>(self);
  if (x.connected_) {
    x.verdict_ = verdict::resend_refused;
    return CURL_PREREQFUNC_ABORT;
  }
  x.connected_ = true;
  if (x.call_.body.empty()) x.sent_whole_ = true;
  return CURL_PREREQFUNC_OK;
}

size_t exchange::give(char* buffer, size_t size, size_t count, void* self) {
  auto& x = *static_cast<exchange*>(self);
  const auto length = std::min(size * count, x.call_.body.size() - x.given_);
  std::copy_n(x.call_.body.data() + x.given_, length, buffer);
  x.given_ += length;
  if (x.given_ == x.call_.body.size()) {
    x.sent_whole_ = true;
    std::string{}.swap(x.call_.body);  // The body is never sent again; an assignment would keep its memory.
    x.given_ = 0;
  }
  return length;
}

size_t exchange::take(char* bytes, size_t size, size_t count, void* self) {
  return static_cast<exchange*>(self)->on_body({bytes, size * count});
}

size_t exchange::take_header(char* bytes, size_t size, size_t count, void* self) {
  return static_cast<exchange*>(self)->on_header({bytes, size * count});
}

size_t exchange::on_body(std::string_view bytes) {
  if (verdict_ == verdict::complete) return bytes.size();  // Ignored until the grace time is over.
  if (verdict_ != verdict::running) return 0;
  switch (reader_->feed(head_, bytes)) {
    case reader_demand::more: break;
    case reader_demand::complete:
      verdict_ = verdict::complete;
      (*on_complete_)(id_);
      break;
    case reader_demand::refuse: verdict_ = verdict::body_refused; return 0;
  }
  count_memory();
  if (budget_->used > budget_->limit) budget_->relieve();
  return verdict_ == verdict::memory_refused ? 0 : bytes.size();
}

void exchange::count_memory() {
  const auto held = reader_->buffered();
  budget_->used += held - counted_;
  counted_ = held;
}

void exchange::forfeit() {
  verdict_ = verdict::memory_refused;
  reader_->discard();
  count_memory();
}

size_t exchange::on_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > header_limit_ || ++header_lines_ > header_lines_limit_) {
    verdict_ = verdict::headers_refused;
    return 0;
  }
  if (line.substr(0, 5) == "HTTP/") {  // A new head: the previous one was interim (1xx).
    head_ = {};
    const auto code = line.substr(std::min(line.size(), line.find(' ') + 1));
    std::from_chars(code.data(), code.data() + code.size(), head_.status);
    if (head_.status < 200) head_.status = 0;
    return line.size();
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  auto name = boost::to_lower_copy(std::string{line.substr(0, colon)});
  if (means_something(name)) head_.fields.emplace_back(std::move(name), without_blanks(line.substr(colon + 1)));
  return line.size();
}

ec exchange::code_of(CURLcode result) const noexcept {
  switch (verdict_) {
    case verdict::complete: return ec::none;
    case verdict::body_refused:
    case verdict::headers_refused:
    case verdict::memory_refused: return ec::malformed_answer;
    case verdict::resend_refused: return ec::connection_lost;
    case verdict::running: break;
  }
  if (result == CURLE_OK) return ec::none;
  if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE) return ec::config_invalid;
  if (!connected_) return ec::connect_failed;
  if (result == CURLE_OPERATION_TIMEDOUT) return ec::timeout;
  const bool nonsense = result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL ||
                        result == CURLE_BAD_CONTENT_ENCODING;
  return nonsense ? ec::malformed_answer : ec::connection_lost;
}

std::string exchange::message_of(CURLcode result, ec code) const {
  const auto said = complaint_[0] != '\0' ? std::string{complaint_.data()} : std::string{curl_easy_strerror(result)};
  auto why = printable(redact(said));
  switch (verdict_) {
    case verdict::body_refused: return "the answer is larger than allowed, so reading it was stopped";
    case verdict::headers_refused: return "the answer's headers are larger than allowed, so reading it was stopped";
    case verdict::memory_refused: return "the answers in flight take more memory than allowed, so this one was stopped";
    case verdict::resend_refused:
      return "the server closed the connection before it answered; the request was not sent a second time unasked";
    case verdict::running:
    case verdict::complete: break;
  }
  if (code == ec::config_invalid)
    return fmt::format(
        "the server's certificate is not accepted: {}. Check ANTHROPIC_BASE_URL, or name the "
        "certificates to trust in SSL_CERT_FILE.",
        why);
  if (code == ec::connect_failed) return fmt::format("the server cannot be reached: {}", why);
  return why;
}

http_end exchange::end(CURLcode result) {
  http_end how;
  how.code = code_of(result);
  if (how.code != ec::none) how.message = message_of(result, how.code);
  how.sent_whole = sent_whole_;
  how.head = std::move(head_);
  return how;
}

http_end exchange::stopped(ec code, std::string message) {
  if (verdict_ == verdict::complete) return end(CURLE_OK);
  return {.code = code, .message = std::move(message), .sent_whole = sent_whole_, .head = std::move(head_)};
}

}  // namespace cohort::claude
