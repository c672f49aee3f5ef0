// A coordinator, or a node, of another version of the nodes' protocol, for tests of the command line:
//   other_version coordinator CLUSTER    prints where it listens, refuses every node, ends with its standard input
//   other_version node CLUSTER ADDRESS   prints what the coordinator says to it

#include <cstdio>
#include <memory>
#include <string>

#include <caf/all.hpp>

#include "actors/nodes/node_table.hpp"
#include "actors/nodes/remoting.hpp"
#include "base/digest.hpp"
#include "cluster/tls_gate.hpp"

namespace {

using namespace cohort;

constexpr actors::link_times times{milliseconds{1000}, milliseconds{10'000}};

actors::hub_actor::behavior_type other_hub(actors::hub_actor::pointer) {
  return {
      [](actors::node_call& call) {
        ++call.hello.protocol;  // As far apart as they would be.
        const auto why = actors::node_table{actors::node_rules{}}.objection(call.hello);
        actors::node_welcome no;
        no.protocol = actors::cluster_protocol + 1;
        no.code = why->code;
        no.reason = why->message;
        return no;
      },
      [](const actors::message_part&) {},
      [](const actors::node_pulse&) {},
      [](const actors::node_leaving&) {},
      [](const actors::node_gone&) {},
  };
}

/// Says hello for itself, as nodes do, and passes on what it is told.
caf::behavior other_node(caf::event_based_actor* self, const actors::hub_actor& hub, const caf::actor& listener) {
  actors::node_call call;
  call.node = caf::actor_cast<actors::node_actor>(self);
  call.hello.protocol = actors::cluster_protocol + 1;
  call.hello.session = random_hex(16);
  call.hello.node = "other";
  call.hello.slots = 1;
  self->request(hub, std::chrono::seconds{10}, call)
      .then(
          [self, listener](const actors::node_welcome& answer) {
            self->send(listener, answer.accepted ? std::string{"accepted"} : answer.reason);
          },
          [self, listener](const caf::error&) { self->send(listener, std::string{"no answer"}); });
  return {[](const actors::message_part&) {}, [](const actors::report_kept&) {}, [](const actors::hub_pulse&) {},
          [](const actors::hub_farewell&) {}, [](const actors::node_recall&) {}};
}

int coordinate(const std::shared_ptr<const cluster::cluster_credentials>& own) {
  caf::actor_system_config config;
  actors::load_remoting(config, *own, times);
  caf::actor_system system{config};
  auto hub = system.spawn(other_hub);
  auto gate = cluster::tls_gate::listen({"127.0.0.1", 0}, own);
  if (!gate) return 1;
  (*gate)->open_to(actors::let_in(hub), [](const std::string&) {});
  std::puts(cluster::to_string((*gate)->address()).c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  caf::anon_send_exit(hub, caf::exit_reason::user_shutdown);
  return 0;
}

int say_hello(std::shared_ptr<const cluster::cluster_credentials> own, const std::string& where) {
  caf::actor_system_config config;
  actors::load_remoting(config, *own, times);
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  auto way = system.spawn<caf::detached>(actors::dialer, cluster::parse_address(where).value(), own);
  actors::hub_actor hub;
  self->request(way, caf::infinite, actors::dial_options{})
      .receive([&](const actors::dialed& found) { hub = found.hub; }, [](const caf::error&) {});
  if (hub) {
    auto node = system.spawn(other_node, hub, caf::actor_cast<caf::actor>(self));
    self->receive([](const std::string& text) { std::puts(text.c_str()); });
    caf::anon_send_exit(node, caf::exit_reason::user_shutdown);
  }
  caf::anon_send_exit(way, caf::exit_reason::user_shutdown);
  return hub ? 0 : 1;
}

}  // namespace

int main(int count, char** text) {
  const std::string role = count > 2 ? text[1] : "";
  const bool coordinates = role == "coordinator";
  if (!coordinates && (role != "node" || count < 4)) return 2;
  auto own = cluster::cluster_credentials::load(
      text[2], coordinates ? cluster::cluster_side::coordinator : cluster::cluster_side::node,
      coordinates ? "" : "node");
  if (!own) return 2;
  auto kept = std::make_shared<const cluster::cluster_credentials>(std::move(*own));
  return coordinates ? coordinate(kept) : say_hello(kept, text[3]);
}
