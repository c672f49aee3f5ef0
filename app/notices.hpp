// What the application tells whoever started it while it works. The command line prints it; a test collects it.
#pragma once

#include <cstdint>
#include <string_view>

namespace cohort::app {

struct plan_outline;

enum class notice_kind : uint8_t {
  good_to_know,    ///< May be left out.
  need_to_know,    ///< Everybody has to see it.
  warning,         ///< The same, and something is not as it should be.
  of_the_process,  ///< For people at a terminal, not for scripts.
};

class notices {
 public:
  notices() = default;
  notices(const notices&) = delete;
  notices& operator=(const notices&) = delete;
  virtual ~notices() = default;

  /// `text` is one line; line breaks in it are a stranger's.
  virtual void tell(notice_kind kind, std::string_view text) = 0;
  /// `text` may have several lines; what is foreign in it has passed `printable`.
  virtual void tell_lines(notice_kind kind, std::string_view text) = 0;
  /// A new plan, before its run begins.
  virtual void planned(const plan_outline& plan) = 0;
  /// How far the project is read.
  virtual void reading(size_t done, size_t total) = 0;
  /// The user wants an end: nobody is to be waited for who does not read what was told. Called on another thread.
  virtual void hurry() noexcept = 0;

  void warn(std::string_view text) { tell(notice_kind::warning, text); }
  void announce(std::string_view text) { tell(notice_kind::need_to_know, text); }
  void inform(std::string_view text) { tell(notice_kind::good_to_know, text); }
};

}  // namespace cohort::app
