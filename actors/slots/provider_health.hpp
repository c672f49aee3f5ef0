// A provider that tells, on any thread, whether it is failing as a whole and why: a NODE says so in its pulses.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "messages/ports/provider.hpp"

namespace cohort::actors {

class provider_health : public provider {
 public:
  explicit provider_health(std::shared_ptr<provider> inner) : inner_(std::move(inner)) {}

  [[nodiscard]] call_permit admit(steady_time now, const completion_request& request) override {
    return inner_->admit(now, request);
  }
  void settle(steady_time now, uint64_t id, const gateway_result& result) override;
  [[nodiscard]] ec failing(steady_time now, const std::string& model) const override {
    return inner_->failing(now, model);
  }
  void submit(uint64_t id, const completion_request& request, milliseconds timeout, on_done done) override;
  void cancel(uint64_t id) override { inner_->cancel(id); }

  /// Why it fails; empty if it does not, or if it does so for some of its models only. Thread-safe.
  [[nodiscard]] std::string failure() const;

 private:
  std::shared_ptr<provider> inner_;
  std::map<uint64_t, std::string> asked_;  ///< Model by call; used on the GATEWAY's thread alone.
  mutable std::mutex guard_;
  std::map<std::string, std::string> trouble_;  ///< By model; empty: it answers.
};

}  // namespace cohort::actors
