#include "cluster/frames.hpp"

#include <gtest/gtest.h>

#include "frames.hpp"

namespace cohort::cluster {
namespace {

/// A coordinator's guard whose peer has shaken hands.
struct guard_of_a_hub : ::testing::Test {
  frame_guard guard{cluster_side::coordinator};
  guard_of_a_hub() {
    EXPECT_FALSE(guard.ready());
    guard.outgoing(server_handshake());
    EXPECT_TRUE(guard.ready());
    EXPECT_EQ(guard.incoming(client_handshake()), frame_verdict::pass);
  }
};

struct guard_of_a_node : ::testing::Test {
  frame_guard guard{cluster_side::node};
  guard_of_a_node() {
    guard.outgoing(client_handshake());
    EXPECT_EQ(guard.incoming(server_handshake()), frame_verdict::pass);
    guard.outgoing(client_handshake(2));
    guard.outgoing(hello_message());
  }
};

TEST(frames, a_size_is_told_by_the_head) {
  EXPECT_FALSE(frame_size(std::string(31, '\0')));
  EXPECT_EQ(frame_size(frame(2, 0, "12345")), 37u);
  EXPECT_EQ(frame_size(std::string(4, '\0') + "\xFF\xFF\xFF\xFF" + std::string(24, '\0')), 32 + 0xFFFFFFFFULL);
}

TEST_F(guard_of_a_hub, what_nodes_say_passes) {
  EXPECT_EQ(guard.peer(), node_identity());
  EXPECT_EQ(guard.incoming(client_handshake(2)), frame_verdict::pass);
  EXPECT_FALSE(guard.greeted());
  EXPECT_EQ(guard.incoming(hello_message()), frame_verdict::pass);
  EXPECT_TRUE(guard.greeted());
  EXPECT_EQ(guard.incoming(frame(4, 0, node_identity() + hub_identity(), 0, 0, hub_actor_id)), frame_verdict::pass);
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::message_part", std::string(256U << 10, 'x'))),
            frame_verdict::pass);
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::node_pulse", "pulse")), frame_verdict::pass);
  EXPECT_EQ(guard.incoming(frame(6, 0, {})), frame_verdict::pass);
  EXPECT_EQ(guard.incoming(frame(5, 0, node_identity() + hub_identity() + "why", 0, node_actor_id)),
            frame_verdict::pass);
}

TEST_F(guard_of_a_hub, a_peer_speaks_for_itself_alone) {
  EXPECT_EQ(guard.incoming(hello_message(node_actor_id + 1)), frame_verdict::breach) << "the way back leads to another";
  EXPECT_EQ(guard.incoming(hello_message(node_actor_id, hub_identity())), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::node_pulse", "p", asynchronous, node_actor_id + 1)),
            frame_verdict::breach);
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::node_pulse", "p", asynchronous, 0)), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(frame(1, 2, std::string(32, 'X'))), frame_verdict::breach) << "another identity";
}

TEST_F(guard_of_a_hub, a_peer_talks_to_the_hub_alone) {
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::node_pulse", "p", asynchronous, node_actor_id, 3)),
            frame_verdict::breach);
  EXPECT_EQ(guard.incoming(frame(3, 0, node_identity() + hub_identity() + "x", 0, 1, 2)), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(frame(4, 0, node_identity() + std::string(32, 'X'), 0, 0, 1)), frame_verdict::breach)
      << "it would be passed on to another node";
  EXPECT_EQ(guard.incoming(frame(2, 1, content("@<>+@atom+@atom+@str", "x"), 0, 9, 77)), frame_verdict::drop);
}

TEST_F(guard_of_a_hub, only_messages_of_nodes_come_in) {
  for (const auto* types :
       {"@<>+@atom+@strong_actor_ptr", "@<>+@error", "@<>+@message", "@<>+cohort::actors::node_welcome",
        "@<>+cohort::actors::node_call+cohort::actors::node_call", "@<>", ""})
    EXPECT_EQ(guard.incoming(to_hub(types, "x")), frame_verdict::breach) << types;
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::node_pulse", "p", 1ULL << 61)), frame_verdict::breach)
      << "a stream's";
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::node_pulse", "p", a_response)), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::node_pulse", "p", a_request)), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(to_hub("@<>+cohort::actors::message_part", std::string(300U << 10, 'x'))),
            frame_verdict::breach);
  EXPECT_EQ(guard.incoming(frame(2, 0, std::string("\x01\0\0", 3) + "x", asynchronous, node_actor_id, hub_actor_id)),
            frame_verdict::breach)
      << "a message with a way of its own";
  EXPECT_EQ(guard.incoming(frame(2, 0, {}, asynchronous, node_actor_id, hub_actor_id)), frame_verdict::breach);
}

TEST(frames, nothing_passes_before_the_handshake_and_none_that_is_ours) {
  frame_guard guard{cluster_side::coordinator};
  guard.outgoing(server_handshake());
  EXPECT_EQ(guard.incoming(frame(6, 0, {})), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(hello_message()), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(frame(1, 0, {})), frame_verdict::breach) << "32 bytes that end the framework's process";
  EXPECT_EQ(guard.incoming(frame(1, 0, hub_identity())), frame_verdict::breach) << "the coordinator's own identity";
  EXPECT_EQ(guard.incoming(server_handshake()), frame_verdict::breach);
  for (char operation = 7; operation < 20; ++operation)
    EXPECT_EQ(guard.incoming(frame(operation, 0, {})), frame_verdict::breach);
}

TEST_F(guard_of_a_hub, handshakes_are_few) {
  EXPECT_EQ(guard.incoming(client_handshake(2)), frame_verdict::pass);
  EXPECT_EQ(guard.incoming(client_handshake(2)), frame_verdict::breach);
}

TEST_F(guard_of_a_hub, hellos_are_few) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(guard.incoming(hello_message()), frame_verdict::pass);
  EXPECT_EQ(guard.incoming(hello_message()), frame_verdict::breach);
}

TEST_F(guard_of_a_node, what_coordinators_say_passes_and_nothing_else) {
  EXPECT_EQ(guard.incoming(to_node("@<>+cohort::actors::node_welcome", "w", a_response)), frame_verdict::pass);
  EXPECT_EQ(guard.incoming(to_node("@<>+cohort::actors::message_part", "p")), frame_verdict::pass);
  EXPECT_EQ(guard.incoming(to_node("@<>+@error", "e", a_response)), frame_verdict::pass);
  EXPECT_EQ(guard.incoming(to_node("@<>+@error", "e")), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(to_node("@<>+@error", std::string(4096, 'e'), a_response)), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(to_node("@<>+cohort::actors::node_welcome", "w")), frame_verdict::breach) << "nobody asked";
  EXPECT_EQ(guard.incoming(to_node("@<>+cohort::actors::node_call", "c", a_request)), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(to_node("@<>+cohort::actors::message_part", "p", asynchronous, hub_actor_id, 1)),
            frame_verdict::breach);
  EXPECT_EQ(guard.incoming(to_node("@<>+cohort::actors::message_part", "p", asynchronous, 9)), frame_verdict::breach);
  EXPECT_EQ(guard.incoming(server_handshake()), frame_verdict::breach);
}

}  // namespace
}  // namespace cohort::cluster
