// Which model a task is asked of: the plan's own, or, while that one is overloaded, the next that can take the request.
// A plain class with time passed in. Each BATCH has one; what it knows it learnt from the ends of its own attempts, so
// that it works for workers on other machines as well.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.hpp"
#include "messages/price.hpp"
#include "messages/request.hpp"

namespace cohort::actors {

class model_fallback {
 public:
  /// `models`: the plan's model first, then its fallbacks in order; never empty. `cooldown`: how long an overloaded
  /// model is not asked at least before one task tries it again.
  model_fallback(std::vector<model_info> models, milliseconds cooldown);

  /// The index of the model for the next attempt, `least` or a later one. A model that is cooling down is passed over;
  /// when its cooldown is over, one request is sent to it while the others still pass it over. If all cool down, the
  /// last one is taken: there the GATEWAY holds the request until it may go.
  [[nodiscard]] size_t choose(steady_time now, size_t least, const completion_request& request);

  /// True if a model after this one can take the request.
  [[nodiscard]] bool has_next(size_t model_index, const completion_request& request) const noexcept;

  /// The model was overloaded; it asked not to be called for `retry_after`, if that is not zero.
  void overloaded(steady_time now, size_t model_index, milliseconds retry_after);
  /// It answered: all may ask it again.
  void answered(size_t model_index) noexcept;

  [[nodiscard]] const model_info& model(size_t model_index) const noexcept { return steps_[model_index].model; }

  /// `request` as the model at this index takes it: its own id, no more output than it can give, no effort if it has
  /// none.
  [[nodiscard]] completion_request request_for(const completion_request& request, size_t model_index) const;

 private:
  struct step {
    model_info model;
    bool resting = false;
    steady_time until;
  };
  [[nodiscard]] bool fits(size_t model_index, const completion_request& request) const noexcept;

  std::vector<step> steps_;
  milliseconds cooldown_;
};

}  // namespace cohort::actors
