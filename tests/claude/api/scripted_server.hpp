// A raw TCP server whose every connection runs a script: it can lie about anything that HTTP allows to lie about.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cohort::claude {

/// One accepted connection.
class scripted_connection {
 public:
  explicit scripted_connection(int fd, std::atomic<int>& requests) : fd_(fd), requests_(requests) {}
  ~scripted_connection() { close(); }
  scripted_connection(const scripted_connection&) = delete;
  scripted_connection& operator=(const scripted_connection&) = delete;

  /// The next whole request, head and body; nothing if the client closed.
  std::optional<std::string> read_request() {
    std::string text;
    size_t wanted = std::string::npos;
    while (wanted == std::string::npos || text.size() < wanted) {
      char buffer[65536];
      const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) return std::nullopt;
      text.append(buffer, static_cast<size_t>(got));
      const auto head = text.find("\r\n\r\n");
      if (head == std::string::npos || wanted != std::string::npos) continue;
      const auto length = text.find("Content-Length: ");
      wanted = head + 4 + (length < head ? std::stoul(text.substr(length + 16)) : 0);
    }
    ++requests_;
    return text;
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  /// Blocks until the client closes.
  void hang() {
    char buffer[4096];
    while (::recv(fd_, buffer, sizeof buffer, 0) > 0) continue;
  }
  /// Ends the connection with a TCP reset.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
  std::atomic<int>& requests_;
};

class scripted_server {
 public:
  /// `connection` counts from 1.
  using script = std::function<void(scripted_connection&, int connection)>;

  explicit scripted_server(script run) : run_(std::move(run)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
    ::listen(listener_, 1024);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
  }
  ~scripted_server() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock{guard_};
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    for (const int fd : open_) ::close(fd);
  }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int requests() const { return requests_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all() {
    for (int fd = ::accept(listener_, nullptr, nullptr); fd >= 0; fd = ::accept(listener_, nullptr, nullptr)) {
      const int yes = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      const int number = ++connections_;
      const std::lock_guard lock{guard_};
      open_.push_back(::dup(fd));  // So that the end of the server can wake a script that waits.
      const int watched = open_.back();
      threads_.emplace_back([this, fd, number, watched] {
        {
          scripted_connection connection{fd, requests_};
          run_(connection, number);
        }
        // Let the peer see the end at once: the duplicate must not keep the connection alive.
        const std::lock_guard inner{guard_};
        ::close(watched);
        open_.remove(watched);
      });
    }
  }

  script run_;
  int listener_;
  uint16_t port_ = 0;
  std::thread acceptor_;
  std::mutex guard_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::atomic<int> requests_{0};
  std::atomic<int> connections_{0};
};

/// A plain HTTP/1.1 answer with the right length.
inline std::string http_answer(int status, const std::string& body, const std::string& headers = "",
                               const std::string& type = "application/json") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// A well-formed message.
inline std::string message_json(const std::string& text,
                                const std::string& usage = R"({"input_tokens":10,"output_tokens":5})") {
  return R"({"type":"message","id":"msg_1","model":"claude-test","stop_reason":"end_turn","content":[{"type":"text","text":")" +
         text + R"("}],"usage":)" + usage + "}";
}

}  // namespace cohort::claude
