// GATEWAY: holds calls back until the provider's limits let them go, and brings each result home.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include <caf/typed_response_promise.hpp>

#include "actors/interfaces.hpp"
#include "messages/ports/provider.hpp"

namespace cohort::actors {

class gateway_state {
 public:
  static inline const char* name = "gateway";

  void start(gateway_actor::stateful_pointer<gateway_state> self, std::shared_ptr<provider> provider,
             progress_actor progress);
  caf::typed_response_promise<gateway_result> call(gateway_call& wanted);
  void on_ended(const call_ended& call);
  void on_tick();
  void on_recall();
  void on_drain();
  void on_stop();

 private:
  struct held_call {
    gateway_call what;
    steady_time since;
    caf::typed_response_promise<gateway_result> promise;
  };
  struct flying_call {
    std::string model;
    bool may_fall_back = false;
    milliseconds held{0};
    steady_time sent;
    caf::typed_response_promise<gateway_result> promise;
  };

  void send_held();
  void send_held(std::deque<held_call>& queue);
  void submit(uint64_t ticket, held_call& call, steady_time now);
  void tick_after(milliseconds pause);
  void tell_of_trouble(const flying_call& call, const gateway_result& result);
  [[nodiscard]] steady_time now() const;

  gateway_actor::stateful_pointer<gateway_state> self_ = nullptr;
  std::shared_ptr<provider> provider_;
  std::map<std::string, std::deque<held_call>> held_;  ///< By model: one that is held does not hold the others.
  std::unordered_map<uint64_t, flying_call> flying_;
  progress_actor progress_;
  bool tick_armed_ = false;
  steady_time next_tick_;
  std::set<std::string> troubled_;  ///< Models whose failing was told.
  bool stopped_ = false;
};

gateway_actor::behavior_type gateway(gateway_actor::stateful_pointer<gateway_state> self,
                                     std::shared_ptr<provider> provider, progress_actor progress);

}  // namespace cohort::actors
