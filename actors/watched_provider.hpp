// A provider that tells, on any thread, whether it is failing as a whole and why: a NODE says so in its pulses.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "messages/provider.hpp"

namespace cohort {

class watched_provider : public provider {
 public:
  explicit watched_provider(std::shared_ptr<provider> inner) : inner_(std::move(inner)) {}

  [[nodiscard]] milliseconds admit(steady_time now, const completion_request& request) override {
    return inner_->admit(now, request);
  }
  void settle(steady_time now, uint64_t id, const gateway_result& result) override;
  [[nodiscard]] bool failing(steady_time now) const override { return inner_->failing(now); }
  void submit(uint64_t id, const completion_request& request, milliseconds timeout, on_done done) override {
    inner_->submit(id, request, timeout, std::move(done));
  }
  void cancel(uint64_t id) override { inner_->cancel(id); }

  /// Why it fails; empty if it does not. Thread-safe.
  [[nodiscard]] std::string trouble() const;

 private:
  std::shared_ptr<provider> inner_;
  mutable std::mutex guard_;
  std::string trouble_;
};

}  // namespace cohort
