// Serves one connection. Beast parses the requests; replies are written by hand as two buffers, head and body.

#include "simulator/server/connection.hpp"

#include <array>
#include <ctime>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace cohort::simulator {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr uint64_t body_limit = 32ULL << 20;
constexpr uint32_t header_limit = 64U << 10;
constexpr size_t read_bytes = 16U << 10;  ///< Beast reads as much at once as its buffer holds.
constexpr size_t drain_limit = 512U << 20;
constexpr size_t strangers_drain_limit = 1U << 20;
constexpr std::chrono::seconds patience{10};  ///< For the first head of a connection, where a key is asked for.

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::string_view reason(unsigned status) {
  if (status == 529) return "Overloaded";
  return view(http::obsolete_reason(static_cast<http::status>(status)));
}

/// The header `date`'s value; made once a second, for all connections of the server's one thread.
const std::string& date_now() {
  thread_local std::time_t made = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now == made) return text;
  made = now;
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 40> buffer{};
  text.assign(buffer.data(), std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  return text;
}

class connection : public std::enable_shared_from_this<connection> {
 public:
  connection(tcp::socket socket, messages_api& api)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), api_(api), known_(api.knows({}, {})) {
    buffer_.reserve(read_bytes);
    api_.counters().change([](auto& c) {
      ++c.connections;
      c.peak_connections = std::max(c.peak_connections, ++c.open_connections);
    });
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() {
    settle(false);
    api_.counters().change([](auto& c) { --c.open_connections; });
  }

  void read_head() {
    parser_.emplace();
    parser_->body_limit(body_limit);
    parser_->header_limit(header_limit);
    http::async_read_header(socket_, buffer_, *parser_, [self = shared_from_this()](error_code problem, size_t) {
      problem ? self->reading_failed(problem) : self->admit();
    });
    if (!known_) give_up_after(patience);
  }

 private:
  /// The body of a request with another key is not read.
  void admit() {
    const auto& request = parser_->get();
    known_ = api_.knows(view(request["x-api-key"]), view(request["authorization"]));
    timer_.cancel();
    if (known_) return read_body();
    api_.turn_away(reply_);
    keep_alive_ = false;
    give_up_after(patience);
    deliver();
  }

  /// The connection of a client without the key is closed.
  void give_up_after(std::chrono::seconds time) {
    timer_.expires_after(time);
    timer_.async_wait([self = shared_from_this()](error_code problem) {
      error_code ignored;
      if (!problem) self->socket_.close(ignored);
    });
  }

  void read_body() {
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      error_code ignored;  // If the client is gone, the read notices.
      asio::write(socket_, asio::buffer(go_on.data(), go_on.size()), ignored);
    }
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code problem, size_t) {
      problem ? self->reading_failed(problem) : self->respond();
    });
  }

  void reading_failed(error_code problem) {
    if (problem == http::error::body_limit || problem == http::error::header_limit) {
      api_.refuse({413, "request_too_large", "Request exceeds the maximum allowed number of bytes (32 MB)"}, reply_);
    } else if (problem.category() == make_error_code(http::error::bad_method).category() &&
               problem != http::error::end_of_stream && problem != http::error::partial_message) {
      api_.refuse({400, "invalid_request_error", "Malformed HTTP request: " + problem.message()}, reply_);
    } else {
      return;
    }
    keep_alive_ = false;
    deliver();
  }

  void respond() {
    const auto& request = parser_->get();
    const auto field = [&request](beast::string_view name) { return view(request[name]); };
    keep_alive_ = request.keep_alive();
    chunked_allowed_ = request.version() >= 11;
    api_.respond({view(request.method_string()), view(request.target()), field("x-api-key"), field("authorization"),
                  field("anthropic-version"), request.body()},
                 reply_);
    if (reply_.delay.count() == 0) return deliver();
    wait(reply_.delay, [](connection& self) { self.deliver(); });
  }

  template <class Duration, class Then>
  void wait(Duration duration, Then then) {
    timer_.expires_after(duration);
    timer_.async_wait([self = shared_from_this(), then](error_code problem) {
      if (!problem) then(*self);
    });
  }

  void deliver() {
    switch (reply_.how) {
      case transmission::whole: return send_whole();
      case transmission::trickle: return send_pieces();
      case transmission::cut: return send_half();
      case transmission::reset: return reset();
      case transmission::whole_then_close: keep_alive_ = false; return send_whole();
      case transmission::endless: return send_endless();
      case transmission::hang: api_.counters().change([](auto& c) { ++c.hangs; }); return drain();
    }
  }

  void write_head() {
    head_.clear();
    fmt::format_to(std::back_inserter(head_), "HTTP/1.1 {} {}\r\ndate: {}\r\ncontent-type: {}\r\n{}", reply_.status,
                   reason(reply_.status), date_now(), reply_.content_type, reply_.headers);
    if (!keep_alive_) head_.append("connection: close\r\n");
    if (chunked()) {
      head_.append("transfer-encoding: chunked\r\n\r\n");
    } else {
      fmt::format_to(std::back_inserter(head_), "content-length: {}\r\n\r\n",
                     reply_.stated_length.value_or(reply_.body.size()));
    }
  }

  [[nodiscard]] bool chunked() const noexcept { return reply_.streamed && chunked_allowed_; }

  template <class Then>
  void write(std::string_view tail, Then then) {
    const std::array<asio::const_buffer, 3> parts{asio::buffer(head_), asio::buffer(reply_.body.data() + sent_, piece_),
                                                  asio::buffer(tail.data(), tail.size())};
    asio::async_write(socket_, parts, [self = shared_from_this(), then](error_code problem, size_t) {
      if (!problem) then(*self);
    });
  }

  void open_chunk(size_t bytes) {
    if (chunked()) fmt::format_to(std::back_inserter(head_), "{:x}\r\n", bytes);
  }

  void send_whole() {
    write_head();
    sent_ = 0;
    piece_ = reply_.body.size();
    open_chunk(piece_);
    write(chunked() ? "\r\n0\r\n\r\n" : "", [](connection& self) { self.finish(); });
  }

  void send_half() {
    api_.counters().change([](auto& c) { ++c.truncated; });
    write_head();
    sent_ = 0;
    piece_ = reply_.body.size() / 2;
    open_chunk(reply_.body.size());
    write("", [](connection& self) { self.close(); });
  }

  void send_pieces() {
    write_head();
    sent_ = piece_ = 0;
    send_piece();
  }

  void send_piece() {
    const size_t share = std::max<size_t>(1, reply_.body.size() / reply_.pieces + 1);
    piece_ = std::min(share, reply_.body.size() - sent_);
    open_chunk(piece_);
    const bool last = sent_ + piece_ == reply_.body.size();
    write(!chunked() ? ""
          : last     ? "\r\n0\r\n\r\n"
                     : "\r\n",
          [last](connection& self) {
            self.sent_ += self.piece_;
            self.head_.clear();
            if (last) return self.finish();
            self.wait(self.reply_.pause, [](connection& later) { later.send_piece(); });
          });
  }

  void send_endless() {
    write_head();
    sent_ = 0;
    piece_ = reply_.body.size();
    open_chunk(piece_);
    write(chunked() ? "\r\n" : "", [](connection& self) {
      self.reply_.body.clear();
      while (self.reply_.body.size() < read_bytes) self.reply_.body.append(self.reply_.repeated_tail);
      self.send_refrain();
    });
  }

  /// Repeats the tail until writing fails because the client has left.
  void send_refrain() {
    head_.clear();
    piece_ = reply_.body.size();
    open_chunk(piece_);
    write(chunked() ? "\r\n" : "", [](connection& self) { self.send_refrain(); });
  }

  /// The whole reply is out.
  void finish() {
    settle(reply_.status == 200);
    if (keep_alive_) return read_head();
    close();
  }

  /// The message request is no longer in flight. Called once for each; again it does nothing.
  void settle(bool answered) {
    if (!reply_.message) return;
    reply_.message = false;
    api_.counters().change([answered](auto& c) {
      --c.in_flight;
      if (answered) ++c.answered;
    });
  }

  void reset() {
    api_.counters().change([](auto& c) { ++c.resets; });
    error_code ignored;
    socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket_.close(ignored);
  }

  /// Ends our side and reads on until the client ends its own: closing with unread data would reset the
  /// connection and take the answer away from a client that is still sending.
  void close() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    drain();
  }

  void drain() {
    drained_ = 0;
    discard_.resize(64U << 10);
    drain_more();
  }

  void drain_more() {
    socket_.async_read_some(asio::buffer(discard_), [self = shared_from_this()](error_code problem, size_t bytes) {
      if (!problem && (self->drained_ += bytes) < (self->known_ ? drain_limit : strangers_drain_limit))
        self->drain_more();
    });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  messages_api& api_;
  bool known_;  ///< The client has sent the key, if one is required.
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  reply reply_;
  std::string head_;
  std::string discard_;
  size_t sent_ = 0;
  size_t piece_ = 0;
  size_t drained_ = 0;
  bool keep_alive_ = true;
  bool chunked_allowed_ = true;
};

}  // namespace

void serve_connection(tcp::socket socket, messages_api& api) {
  error_code ignored;
  socket.set_option(tcp::no_delay{true}, ignored);
  std::make_shared<connection>(std::move(socket), api)->read_head();
}

}  // namespace cohort::simulator
