#include "cluster/tls_gate.hpp"

#include <condition_variable>
#include <future>
#include <mutex>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/frames.hpp"
#include "cluster/tls.hpp"
#include "cluster/uplink.hpp"
#include "fixture.hpp"
#include "frames.hpp"

namespace cohort::cluster {
namespace {

using namespace std::chrono_literals;

/// True if something can be read, or the other side hung up, within `time`.
bool readable(int fd, milliseconds time = 5s) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(time.count())) == 1;
}

std::string received(int fd, size_t most = 4096) {
  std::string bytes(most, '\0');
  const auto got = readable(fd) ? ::recv(fd, bytes.data(), bytes.size(), 0) : -1;
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

void say(int fd, std::string_view text) {
  EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

/// The door; the framework's ends of what it lets in go to the test.
struct tls_gate_test : folder_fixture {
  std::mutex guard;
  std::condition_variable came;
  std::vector<descriptor> inside;
  std::vector<std::string> reported;
  std::shared_ptr<const cluster_credentials> own;
  std::unique_ptr<cluster_credentials> nodes;
  std::unique_ptr<tls_gate> gate;

  tls_gate_test() {
    block_broken_pipes();
    EXPECT_TRUE(found_cluster(root / "cluster", {"node"}));
  }

  void open(gate_rules rules = {}) {
    own = std::make_shared<const cluster_credentials>(
        std::move(*cluster_credentials::load(root / "cluster", cluster_side::coordinator)));
    nodes = std::make_unique<cluster_credentials>(
        std::move(*cluster_credentials::load(root / "cluster", cluster_side::node, "node")));
    auto listening = tls_gate::listen({"127.0.0.1", 0}, own, rules);
    ASSERT_TRUE(listening) << listening.error().message;
    gate = std::move(*listening);
    gate->open_to(
        [this](descriptor fd) {
          const std::lock_guard lock{guard};
          say(fd.get(), server_handshake());
          inside.push_back(std::move(fd));
          came.notify_all();
        },
        [this](const std::string& text) {
          const std::lock_guard lock{guard};
          reported.push_back(text);
          came.notify_all();
        });
  }
  int host(size_t index = 0) {
    std::unique_lock lock{guard};
    came.wait_for(lock, 5s, [&] { return inside.size() > index; });
    return inside.size() > index ? inside[index].get() : -1;
  }
  std::string refusal(size_t index = 0) {
    std::unique_lock lock{guard};
    came.wait_for(lock, 5s, [&] { return reported.size() > index; });
    return reported.size() > index ? reported[index] : "";
  }
  descriptor visit() const {
    descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(gate->address().port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    return fd;
  }
  /// Somebody with a valid certificate who does not speak as nodes do.
  struct raw_peer {
    descriptor fd;
    ssl_context_ptr context;
    ssl_ptr link;
    void say(std::string_view text) const { SSL_write(link.get(), text.data(), static_cast<int>(text.size())); }
    /// The rest of what it is told, until the end.
    [[nodiscard]] std::string to_the_end() const {
      std::string all;
      char bytes[4096];
      for (int got = 0; (got = SSL_read(link.get(), bytes, sizeof bytes)) > 0;) all.append(bytes, got);
      return all;
    }
  };
  raw_peer raw() const {
    raw_peer peer{visit(), make_tls_context(*nodes, cluster_side::node), nullptr};
    peer.link.reset(SSL_new(peer.context.get()));
    SSL_set_fd(peer.link.get(), peer.fd.get());
    EXPECT_EQ(SSL_connect(peer.link.get()), 1);
    return peer;
  }
  /// A node's own end, with its certificate.
  std::unique_ptr<uplink> join() {
    auto link = uplink::connect(gate->address(), *nodes, 5s);
    EXPECT_TRUE(link) << link.error().message;
    return link ? std::move(*link) : nullptr;
  }
};

constexpr std::string_view hello{"\x16\x03\x01hello", 8};

TEST_F(tls_gate_test, frames_pass_both_ways_between_frameworks_that_have_no_port) {
  open();
  auto link = join();
  ASSERT_TRUE(link);
  const auto node = link->take_inside();
  EXPECT_EQ(received(node.get()), server_handshake());
  say(node.get(), client_handshake());
  EXPECT_EQ(received(host()), client_handshake());
  say(node.get(), hello_message());
  EXPECT_EQ(received(host()), hello_message());
  say(host(), to_node("@<>+cohort::actors::hub_pulse", "known"));
  EXPECT_EQ(received(node.get()), to_node("@<>+cohort::actors::hub_pulse", "known"));
  EXPECT_EQ(gate->counters().passed, 1u);
  link.reset();
  EXPECT_TRUE(readable(host()));
  EXPECT_EQ(received(host()), "") << "its end is passed on";
}

/// Speaks with a valid certificate, and not as a node does.
TEST_F(tls_gate_test, what_no_node_says_ends_the_connection_before_the_framework_hears_it) {
  const std::vector<std::string> ways{
      frame(1, 0, {}),                       // Ends a process of the framework.
      client_handshake() + frame(0, 0, {}),  // Speaks as a server, which it is not.
      frame(2, 0, "x", 0, 7, 1).substr(0, 4) + "\xFF\xFF\xFF\xFF" + std::string(24, '\0'),  // Announces 4 GB.
      "garbage that is as long as the head of a frame",
  };
  open({10s, 256, 256, 1024, 1000});
  size_t count = 0;
  for (const auto& text : ways) {
    const auto peer = raw();
    peer.say(text);
    EXPECT_EQ(peer.to_the_end().substr(0, server_handshake().size()), server_handshake());
    const auto note_pulse = received(host(count++));
    EXPECT_EQ(note_pulse, text.starts_with(client_handshake()) ? client_handshake() : "") << count;
  }
  EXPECT_EQ(gate->counters().breaches, ways.size());
  EXPECT_NE(refusal().find("was cut off: what it sends is nothing that a node says"), std::string::npos);
}

TEST_F(tls_gate_test, who_breaks_the_protocol_again_and_again_is_not_let_in_any_more) {
  open({10s, 256, 256, 1024, 2});
  for (int i = 0; i < 2; ++i) {
    const auto peer = raw();
    peer.say(frame(1, 0, {}));
    EXPECT_EQ(peer.to_the_end(), server_handshake());
  }
  EXPECT_FALSE(uplink::connect(gate->address(), *nodes, 5s));
  EXPECT_EQ(gate->counters().breaches, 2u);
}

TEST_F(tls_gate_test, who_is_expelled_is_cut_off) {
  open();
  auto link = join();
  const auto node = link->take_inside();
  EXPECT_EQ(received(node.get()), server_handshake());
  say(node.get(), client_handshake());
  EXPECT_EQ(received(host()), client_handshake());
  gate->expel(node_identity());
  EXPECT_EQ(received(node.get()), "");
  EXPECT_EQ(received(host()), "");
}

TEST_F(tls_gate_test, who_is_let_in_and_says_nothing_makes_room) {
  open({100ms, 256});
  auto link = join();
  const auto node = link->take_inside();
  EXPECT_EQ(received(node.get()), server_handshake());
  EXPECT_EQ(received(node.get()), "");
  EXPECT_NE(refusal().find("did not say in time who it is"), std::string::npos);
}

TEST_F(tls_gate_test, what_is_no_tls_never_comes_in) {
  open();
  for (const std::string_view text : {std::string_view{"GET / HTTP/1.1\r\n"}, std::string_view{"\x01\0\0\0", 4}}) {
    const auto guest = visit();
    say(guest.get(), text);
    EXPECT_EQ(received(guest.get()), "");
  }
  EXPECT_EQ(gate->counters().refused, 2u);
  EXPECT_EQ(gate->counters().passed, 0u);
}

TEST_F(tls_gate_test, older_versions_of_tls_are_refused) {
  open();
  const ssl_context_ptr context{SSL_CTX_new(TLS_client_method())};
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_use_certificate_chain_file(context.get(), nodes->certificate_path().c_str());
  SSL_CTX_use_PrivateKey_file(context.get(), nodes->key_path().c_str(), SSL_FILETYPE_PEM);
  const auto guest = visit();
  const ssl_ptr link{SSL_new(context.get())};
  SSL_set_fd(link.get(), guest.get());
  EXPECT_LE(SSL_connect(link.get()), 0);
  EXPECT_NE(refusal().find("does not speak TLS 1.3"), std::string::npos);
}

TEST_F(tls_gate_test, a_certificate_of_another_cluster_is_refused_and_both_sides_are_told) {
  open();
  ASSERT_TRUE(found_cluster(root / "other", {"node"}));
  const auto stranger = cluster_credentials::load(root / "other", cluster_side::node, "node");
  const auto link = uplink::connect(gate->address(), *stranger, 5s);
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, ec::certificate_refused);
}

TEST_F(tls_gate_test, nobody_comes_in_without_a_certificate) {
  open();
  const ssl_context_ptr context{SSL_CTX_new(TLS_client_method())};
  const auto guest = visit();
  const ssl_ptr link{SSL_new(context.get())};
  SSL_set_fd(link.get(), guest.get());
  char first = 0;
  EXPECT_TRUE(SSL_connect(link.get()) <= 0 || SSL_read(link.get(), &first, 1) <= 0);
  EXPECT_NE(refusal().find("no valid certificate"), std::string::npos);
  EXPECT_EQ(gate->counters().passed, 0u);
}

TEST_F(tls_gate_test, a_handshake_that_does_not_end_is_ended) {
  open({100ms, 256});
  const auto guest = visit();
  say(guest.get(), hello.substr(0, 2));
  EXPECT_TRUE(readable(guest.get()));
  EXPECT_EQ(received(guest.get()), "");
  EXPECT_EQ(gate->counters().open, 0u);
}

TEST_F(tls_gate_test, the_oldest_stranger_makes_room) {
  open({10s, 2});
  const auto first = visit();
  const auto second = visit();
  const auto third = visit();
  EXPECT_TRUE(readable(first.get()));
  EXPECT_EQ(received(first.get()), "");
  EXPECT_FALSE(readable(second.get(), 20ms));
}

TEST_F(tls_gate_test, who_has_begun_to_shake_hands_stays_when_silent_ones_come) {
  open({10s, 2});
  const auto begun = visit();
  say(begun.get(), std::string_view{"\x16\x03\x01\x02\x00\x01", 6});
  const auto silent = visit();
  while (gate->counters().accepted < 2) std::this_thread::yield();
  const auto newcomer = visit();
  EXPECT_EQ(received(silent.get()), "");
  EXPECT_FALSE(readable(begun.get(), 20ms));
}

TEST_F(tls_gate_test, half_open_connections_do_not_take_the_descriptors_that_the_run_needs) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  open();
  std::vector<descriptor> strangers;
  for (int i = 0; i < 400; ++i) {
    strangers.push_back(visit());
    (void)::send(strangers.back().get(), "\x16\x03\x01", 3, MSG_NOSIGNAL);
  }
  while (gate->counters().accepted < 400) std::this_thread::yield();
  EXPECT_LE(gate->counters().open, 256u);
  auto link = join();
  ASSERT_TRUE(link) << "a node comes in all the same";
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(tls_gate_test, a_port_in_use_is_told) {
  open();
  const auto again = tls_gate::listen(gate->address(), own);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ec::connect_failed);
}

}  // namespace
}  // namespace cohort::cluster
