// Registration of what crosses the wire, and connecting.

#include "actors/nodes/remoting.hpp"

#include <random>

#include <fmt/format.h>
#include <caf/all.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>

#include "base/log.hpp"
#include "cluster/uplink.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(cohort, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(cohort, (cohort::actors::node_actor))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::node_call))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::node_welcome))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::message_part))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::node_pulse))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::hub_pulse))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::report_kept))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::node_leaving))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::node_gone))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::hub_farewell))
CAF_ADD_TYPE_ID(cohort, (cohort::actors::node_recall))
CAF_END_TYPE_ID_BLOCK(cohort)

namespace cohort::actors {

namespace {

constexpr milliseconds dial_time{5000};
constexpr milliseconds connect_time{10'000};
constexpr uint16_t port_name = 1;  // The framework's name for what is published; no port is opened.

/// The framework's node id is a hash of the host and the process id: two containers may have the same, and messages
/// then go to the wrong process. This module sits in a place that the framework keeps for one that we do not use, and
/// runs before anything is sent.
class random_identity : public caf::actor_system::module {
 public:
  explicit random_identity(caf::actor_system& system) : system_(system) {}
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>) {
    return new random_identity(system);
  }
  void start() override {}
  void stop() override {}
  void init(caf::actor_system_config&) override {
    std::random_device random;
    caf::node_id::default_data::host_id_type host{};
    for (auto& byte : host) byte = static_cast<uint8_t>(random());
    const_cast<caf::node_id&>(system_.node()) = caf::make_node_id(random() | 1U, host);
  }
  id_t id() const override { return opencl_manager; }
  void* subtype_ptr() override { return this; }

 private:
  caf::actor_system& system_;
};

dialed unreachable(const cluster::net_address& where, const std::string& why) {
  return {hub_actor{}, ec::connect_failed,
          fmt::format("cannot reach the coordinator at {}: {}", cluster::to_string(where), why)};
}

caf::actor broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

caf::io::scribe_ptr scribe_for(caf::actor_system& system, descriptor fd) {
  return system.middleman().backend().new_scribe(fd.release());
}

dialed connect(caf::actor_system& system, const cluster::net_address& where, descriptor fd) {
  dialed answer = unreachable(where, "no answer");
  const auto wanted = system.message_types(caf::detail::type_list<hub_actor>{});
  caf::scoped_actor blocking{system};
  blocking
      ->request(broker_of(system), connect_time, caf::connect_atom::value, scribe_for(system, std::move(fd)), port_name)
      .receive(
          [&](const caf::node_id&, const caf::strong_actor_ptr& found, const std::set<std::string>& offered) {
            if (!found)
              answer = unreachable(where, "nothing is published there");
            else if (!system.assignable(offered, wanted))
              answer = {hub_actor{}, ec::protocol_mismatch,
                        fmt::format("the coordinator at {} speaks another version of the nodes' protocol; use the same "
                                    "program on both machines",
                                    cluster::to_string(where))};
            else
              answer = {caf::actor_cast<hub_actor>(found), ec::none, {}};
          },
          [&](const caf::error& problem) { answer = unreachable(where, system.render(problem)); });
  return answer;
}

}  // namespace

void load_remoting(caf::actor_system_config& config, const cluster::cluster_credentials& own, const link_times& times) {
  config.add_message_types<caf::id_block::cohort>();
  // With workers, the end of a connection is told to the framework's broker only after what they still decode, and by
  // then its number may be that of the next connection, which is closed instead.
  config.set("middleman.workers", 0);
  config.load<caf::io::middleman>();
  config.load<random_identity>();
  config.set("middleman.app-identifiers", std::vector<std::string>{own.cluster()});
  config.set("middleman.heartbeat-interval", caf::timespan{times.heartbeat});
  config.set("middleman.connection-timeout", caf::timespan{times.silence});
}

cluster::tls_gate::hand_over let_in(const hub_actor& hub) {
  return [hub](descriptor fd) {
    auto& system = hub.home_system();
    // The broker takes a connection that is there already; its handshake offers the HUB.
    caf::anon_send(broker_of(system), caf::publish_atom::value, scribe_for(system, std::move(fd)), port_name,
                   caf::actor_cast<caf::strong_actor_ptr>(hub), system.message_types(hub));
  };
}

std::string framework_id(const caf::actor_addr& actor) {
  std::vector<char> bytes;
  caf::binary_serializer sink{nullptr, bytes};
  auto node = actor.node();
  if (auto problem = sink(node)) return {};
  return {bytes.begin(), bytes.end()};
}

dialer_actor::behavior_type dialer(dialer_actor::pointer self, cluster::net_address where,
                                   std::shared_ptr<const cluster::cluster_credentials> own) {
  const auto link = std::make_shared<std::unique_ptr<cluster::uplink>>();
  return {
      [self, link, where = std::move(where), own = std::move(own)](const dial_options&) -> dialed {
        link->reset();  // The last one has ended, or is given up now.
        auto made = cluster::uplink::connect(where, *own, dial_time);
        if (!made) return {hub_actor{}, made.error().code, made.error().message};
        *link = std::move(*made);
        return connect(self->home_system(), where, (*link)->take_inside());
      },
  };
}

}  // namespace cohort::actors
