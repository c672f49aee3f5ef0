// Prints what the application tells while it works.
#pragma once

#include "app/notices.hpp"
#include "base/clock.hpp"

namespace cohort::cli {

/// How plans are told.
struct plan_telling {
  bool json = false;
  bool verbose = false;
};

class notices_on_console final : public app::notices {
 public:
  explicit notices_on_console(plan_telling how = {}) : how_(how) {}

  void tell(app::notice_kind kind, std::string_view text) override;
  void tell_lines(app::notice_kind kind, std::string_view text) override;
  void planned(const app::plan_outline& plan) override;
  void reading(size_t done, size_t total) override;
  void hurry() noexcept override;

 private:
  plan_telling how_;
  steady_time drawn_ = steady_clock::now();
};

}  // namespace cohort::cli
