// Registration of what crosses the wire, and connecting.

#include "actors/remoting.hpp"

#include <random>

#include <fmt/format.h>
#include <caf/all.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/all.hpp>

#include "base/log.hpp"
#include "cluster/probe.hpp"
#include "cluster/tls_errors.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(cohort, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(cohort, (cohort::node_actor))
CAF_ADD_TYPE_ID(cohort, (cohort::node_call))
CAF_ADD_TYPE_ID(cohort, (cohort::node_welcome))
CAF_ADD_TYPE_ID(cohort, (cohort::wire_part))
CAF_ADD_TYPE_ID(cohort, (cohort::node_pulse))
CAF_ADD_TYPE_ID(cohort, (cohort::hub_pulse))
CAF_ADD_TYPE_ID(cohort, (cohort::report_kept))
CAF_ADD_TYPE_ID(cohort, (cohort::node_leaving))
CAF_ADD_TYPE_ID(cohort, (cohort::node_gone))
CAF_ADD_TYPE_ID(cohort, (cohort::hub_farewell))
CAF_ADD_TYPE_ID(cohort, (cohort::node_recall))
CAF_END_TYPE_ID_BLOCK(cohort)

namespace cohort {

namespace {

constexpr milliseconds probe_time{5000};
constexpr milliseconds connect_time{10'000};

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

dialed unreachable(const net_address& where, const std::string& why) {
  return {hub_actor{}, ec::connect_failed,
          fmt::format("cannot reach the coordinator at {}: {}", to_string(where), why)};
}

dialed connect(dialer_actor::pointer self, const net_address& where) {
  dialed answer = unreachable(where, "no answer");
  auto& system = self->home_system();
  const auto wanted = system.message_types(caf::detail::type_list<hub_actor>{});
  caf::scoped_actor blocking{system};
  blocking
      ->request(system.openssl_manager().actor_handle(), connect_time, caf::connect_atom::value, where.host, where.port)
      .receive(
          [&](const caf::node_id&, const caf::strong_actor_ptr& found, const std::set<std::string>& offered) {
            if (!found)
              answer = unreachable(where, "nothing is published there");
            else if (!system.assignable(offered, wanted))
              answer = {hub_actor{}, ec::protocol_mismatch,
                        fmt::format("the coordinator at {} speaks another version of the nodes' protocol; use the same "
                                    "program on both machines",
                                    to_string(where))};
            else
              answer = {caf::actor_cast<hub_actor>(found), ec::none, {}};
          },
          [&](const caf::error& problem) { answer = unreachable(where, system.render(problem)); });
  return answer;
}

}  // namespace

void load_remoting(caf::actor_system_config& config, const cluster_credentials& own, const link_times& times) {
  if (!keep_tls_errors_apart())
    log_warning("OpenSSL's own calls were not found; a node that dies may take another one's connection along");
  config.add_message_types<caf::id_block::cohort>();
  // With workers, the end of a connection is told to the framework's broker only after what they still decode, and by
  // then its number may be that of the next connection, which is closed instead.
  config.set("middleman.workers", 0);
  config.load<caf::io::middleman>();
  config.load<random_identity>();
  config.load<caf::openssl::manager>();
  config.openssl_cafile = own.authority_path();
  config.openssl_certificate = own.certificate_path();
  config.openssl_key = own.key_path();
  config.set("middleman.heartbeat-interval", caf::timespan{times.heartbeat});
  config.set("middleman.connection-timeout", caf::timespan{times.silence});
}

expected<uint16_t> publish_hub(const hub_actor& hub) {
  auto port = caf::openssl::publish(hub, 0, "127.0.0.1", true);
  if (!port)
    return fail(ec::connect_failed, "cannot publish the hub on loopback: " + hub.home_system().render(port.error()));
  return *port;
}

dialer_actor::behavior_type dialer(dialer_actor::pointer self, net_address where,
                                   std::shared_ptr<const cluster_credentials> own) {
  return {
      [self, where = std::move(where), own = std::move(own)](const dial_wish&) -> dialed {
        if (auto there = probe_coordinator(where, *own, probe_time); !there)
          return {hub_actor{}, there.error().code, there.error().message};
        return connect(self, where);
      },
  };
}

}  // namespace cohort
