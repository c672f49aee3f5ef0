#include "cluster/doorkeeper.hpp"

#include <future>
#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cohort {
namespace {

using namespace std::chrono_literals;

/// A socket that closes itself.
struct plug {
  int fd = -1;
  explicit plug(int open) : fd(open) {}
  plug(const plug&) = delete;
  plug& operator=(const plug&) = delete;
  ~plug() {
    if (fd >= 0) ::close(fd);
  }
};

sockaddr_in loopback(uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return where;
}

/// True if something can be read, or the other side hung up, within `time`.
bool readable(int fd, milliseconds time = 5s) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(time.count())) == 1;
}

std::string received(int fd) {
  char bytes[256];
  const auto got = readable(fd) ? ::recv(fd, bytes, sizeof bytes, 0) : -1;
  return got > 0 ? std::string(bytes, static_cast<size_t>(got)) : std::string{};
}

/// The door, and in the framework's place a socket that listens.
struct at_the_door : ::testing::Test {
  plug inside{::socket(AF_INET, SOCK_STREAM, 0)};
  std::promise<std::string> told;  ///< The first refusal; outlives the door.
  bool was_told = false;
  std::unique_ptr<doorkeeper> door;

  void open(door_rules rules = {}) {
    auto where = loopback(0);
    ASSERT_EQ(::bind(inside.fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    ASSERT_EQ(::listen(inside.fd, 16), 0);
    socklen_t size = sizeof where;
    ::getsockname(inside.fd, reinterpret_cast<sockaddr*>(&where), &size);
    auto listening = doorkeeper::listen({"127.0.0.1", 0}, rules);
    ASSERT_TRUE(listening) << listening.error().message;
    door = std::move(*listening);
    door->open_to(ntohs(where.sin_port), [this](const std::string& words) {
      if (!std::exchange(was_told, true)) told.set_value(words);
    });
  }
  int visit() const {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    auto where = loopback(door->address().port);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    return fd;
  }
  int let_in() const { return readable(inside.fd) ? ::accept(inside.fd, nullptr, nullptr) : -1; }
  static void say(int fd, std::string_view words) {
    EXPECT_EQ(::send(fd, words.data(), words.size(), MSG_NOSIGNAL), static_cast<ssize_t>(words.size()));
  }
};

constexpr std::string_view hello{"\x16\x03\x01hello", 8};

TEST_F(at_the_door, bytes_pass_both_ways_as_they_are) {
  open();
  const plug guest{visit()};
  say(guest.fd, hello);
  const plug host{let_in()};
  EXPECT_EQ(received(host.fd), hello);
  say(host.fd, "answer");
  EXPECT_EQ(received(guest.fd), "answer");
  ::shutdown(guest.fd, SHUT_WR);
  EXPECT_TRUE(readable(host.fd));
  EXPECT_EQ(received(host.fd), "");
}

TEST_F(at_the_door, what_is_no_tls_never_comes_in) {
  open();
  for (const std::string_view words : {std::string_view{"GET / HTTP/1.1\r\n"}, std::string_view{"\x01\0\0\0", 4}}) {
    const plug guest{visit()};
    say(guest.fd, words);
    EXPECT_EQ(received(guest.fd), "");
  }
  EXPECT_FALSE(readable(inside.fd, 50ms));
  EXPECT_EQ(door->counters().refused, 2u);
}

TEST_F(at_the_door, a_handshake_that_does_not_end_is_ended) {
  open({100ms, 256});
  const plug guest{visit()};
  say(guest.fd, hello.substr(0, 2));
  EXPECT_TRUE(readable(guest.fd));
  EXPECT_EQ(received(guest.fd), "");
  EXPECT_EQ(door->counters().open, 0u);
}

TEST_F(at_the_door, whom_the_framework_hangs_up_on_was_refused) {
  open();
  const plug guest{visit()};
  say(guest.fd, hello);
  {
    const plug host{let_in()};
    EXPECT_EQ(received(host.fd), hello);
    say(host.fd, "alert");
  }
  EXPECT_EQ(received(guest.fd), "alert");
  EXPECT_EQ(received(guest.fd), "");
  EXPECT_EQ(door->counters().refused, 1u);
}

// Records as TLS 1.3 has them: a head of five bytes, the rest encrypted.
const std::string server_hello = std::string{"\x16\x03\x03\0\x05", 5} + "hello";
const std::string alert = std::string{"\x17\x03\x03\0\x13", 5} + std::string(19, 'x');
const std::string ticket = std::string{"\x17\x03\x03\0\x40", 5} + std::string(64, 'x');

TEST_F(at_the_door, who_is_refused_is_told_of_although_it_hung_up_first) {
  open();
  plug guest{visit()};
  say(guest.fd, hello);
  const plug host{let_in()};
  EXPECT_EQ(received(host.fd), hello);
  say(host.fd, server_hello);
  EXPECT_EQ(received(guest.fd), server_hello);
  say(guest.fd, "certificate");
  ::close(std::exchange(guest.fd, -1));
  EXPECT_EQ(received(host.fd), "certificate");
  EXPECT_EQ(received(host.fd), "") << "its end is passed on";
  EXPECT_EQ(door->counters().refused, 0u);
  say(host.fd, alert);
  auto words = told.get_future();
  ASSERT_EQ(words.wait_for(5s), std::future_status::ready);
  EXPECT_NE(words.get().find("no valid certificate"), std::string::npos);
  EXPECT_EQ(door->counters().refused, 1u);
  EXPECT_EQ(door->counters().open, 0u);
}

TEST_F(at_the_door, who_is_accepted_and_goes_is_not_refused) {
  open();
  plug guest{visit()};
  say(guest.fd, hello);
  const plug host{let_in()};
  EXPECT_EQ(received(host.fd), hello);
  say(host.fd, server_hello);
  EXPECT_EQ(received(guest.fd), server_hello);
  say(guest.fd, "certificate");
  EXPECT_EQ(received(host.fd), "certificate");
  say(host.fd, ticket);
  EXPECT_EQ(received(guest.fd), ticket);
  ::close(std::exchange(guest.fd, -1));
  EXPECT_EQ(received(host.fd), "");
  EXPECT_EQ(door->counters().refused, 0u);
  EXPECT_EQ(door->counters().passed, 1u);
}

TEST_F(at_the_door, the_oldest_stranger_makes_room) {
  open({10s, 2});
  const plug first{visit()};
  const plug second{visit()};
  const plug third{visit()};
  EXPECT_TRUE(readable(first.fd));
  EXPECT_EQ(received(first.fd), "");
  EXPECT_FALSE(readable(second.fd, 20ms));
}

TEST_F(at_the_door, a_port_in_use_is_told) {
  open();
  const auto again = doorkeeper::listen(door->address());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ec::connect_failed);
}

}  // namespace
}  // namespace cohort
