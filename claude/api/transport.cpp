// Runs the event loop: epoll says which sockets are ready for libcurl, an eventfd says that there are commands.
//
//   submit/cancel -> queue (mutex) -> eventfd -> loop: waiting -> active -> done
//                                                      cancel/stop/grace ---^

#include "claude/api/transport.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/files.hpp"
#include "claude/api/exchange.hpp"

namespace cohort::claude {

namespace {

constexpr size_t events_at_once = 256;
constexpr size_t spare_handles = 256;    ///< Idle libcurl handles that are kept for reuse.
constexpr rlim_t files_of_others = 128;  ///< Descriptors left to the rest of the process.
constexpr milliseconds longest_sleep{60'000};
constexpr milliseconds sweep_every{200};  ///< How much later than its timeout a waiting exchange may end.

/// The connections that the open-file limit allows, after raising the soft limit as far as needed.
uint32_t allowed_connections(uint32_t wanted) noexcept {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return std::min<uint32_t>(wanted, 256);
  const rlim_t needed = static_cast<rlim_t>(wanted) + files_of_others;
  if (files.rlim_cur < needed) {
    rlimit raised = files;
    raised.rlim_cur = files.rlim_max == RLIM_INFINITY ? needed : std::min(needed, files.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  }
  const rlim_t spare = files.rlim_cur > 2 * files_of_others ? files.rlim_cur - files_of_others : files_of_others;
  return static_cast<uint32_t>(std::min<rlim_t>(wanted, spare));
}

void initialise_curl() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)once;
}

}  // namespace

class transport::loop {
 public:
  explicit loop(const transport_options& options) : options_(options), budget_{0, options.settings.buffered_bytes, {}} {
    on_complete_ = [this](uint64_t id) {
      settling_.emplace_back(steady_clock::now() + options_.settings.stream_grace, id);
    };
    budget_.relieve = [this] { relieve(); };
  }
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  [[nodiscard]] expected<void> open();
  uint64_t submit(http_call call, std::shared_ptr<reply_reader> reader, on_done done);
  void cancel(uint64_t id);
  void stop();
  [[nodiscard]] uint64_t in_flight() const noexcept { return in_flight_; }

 private:
  struct commands {
    std::vector<std::unique_ptr<exchange>> begin;
    std::vector<uint64_t> cancel;
    bool stop = false;
  };

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM*, long ms, void* self);

  void run();
  void wake() const noexcept;
  bool obey();
  void begin_waiting();
  void begin(std::unique_ptr<exchange> x);
  void wait_for_events();
  void drive(curl_socket_t fd, int mask);
  void collect();
  void settle(steady_time now);
  void relieve();
  void end_forfeited();
  void sweep(steady_time now);
  void stop_one(uint64_t id, ec code, const char* message);
  void stop_all();
  void finish(std::unique_ptr<exchange> x, http_end how);
  CURL* take_handle();
  void keep_handle(CURL* easy);
  [[nodiscard]] int sleep_ms(steady_time now) const noexcept;

  transport_options options_;
  memory_budget budget_;
  CURLM* multi_ = nullptr;
  int epoll_ = -1;
  int event_ = -1;
  uint32_t most_active_ = 0;

  std::mutex guard_;
  commands queue_;        // Guarded.
  uint64_t last_id_ = 0;  // Guarded.
  bool stopped_ = false;  // Guarded.
  std::atomic<uint64_t> in_flight_{0};
  std::thread thread_;

  // The loop's thread only.
  std::deque<std::unique_ptr<exchange>> waiting_;
  std::unordered_map<uint64_t, std::unique_ptr<exchange>> active_;
  std::vector<CURL*> handles_;
  std::deque<std::pair<steady_time, uint64_t>> settling_;  // Ascending: the grace is constant.
  std::function<void(uint64_t)> on_complete_;
  std::vector<uint64_t> forfeited_;  ///< Exchanges to be ended, because they gave up what they had read.
  std::optional<steady_time> timer_;
};

transport::loop::~loop() {
  stop();
  for (CURL* easy : handles_) curl_easy_cleanup(easy);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  if (epoll_ >= 0) ::close(epoll_);
  if (event_ >= 0) ::close(event_);
}

expected<void> transport::loop::open() {
  initialise_curl();
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  event_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  epoll_event wakeup{};
  wakeup.events = EPOLLIN;
  wakeup.data.fd = event_;
  if (epoll_ < 0 || event_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &wakeup) != 0)
    return tl::unexpected(system_error(errno, "starting the network loop", "epoll"));
  multi_ = curl_multi_init();
  if (multi_ == nullptr) return fail(ec::io, "libcurl could not be started; is there memory left?");
  most_active_ = allowed_connections(options_.settings.connections);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &loop::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &loop::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(most_active_));
  thread_ = std::thread{[this] { run(); }};
  return {};
}

uint64_t transport::loop::submit(http_call call, std::shared_ptr<reply_reader> reader, on_done done) {
  std::unique_lock lock{guard_};
  const auto id = ++last_id_;
  auto x = std::make_unique<exchange>(id, std::move(call), std::move(reader), std::move(done));
  if (stopped_) {
    lock.unlock();
    x->done(x->stopped(ec::cancelled, "the program is stopping; nothing was sent"));
    return id;
  }
  ++in_flight_;
  const bool was_idle = queue_.begin.empty() && queue_.cancel.empty();
  queue_.begin.push_back(std::move(x));
  lock.unlock();
  if (was_idle) wake();
  return id;
}

void transport::loop::cancel(uint64_t id) {
  {
    const std::lock_guard lock{guard_};
    queue_.cancel.push_back(id);
  }
  wake();
}

void transport::loop::stop() {
  {
    const std::lock_guard lock{guard_};
    stopped_ = true;
    queue_.stop = true;
  }
  if (!thread_.joinable()) return;
  wake();
  thread_.join();
}

void transport::loop::wake() const noexcept {
  const uint64_t one = 1;
  // The write fails only if the counter is full, and then the loop is awake anyway.
  [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

void transport::loop::run() {
  while (obey()) {
    begin_waiting();
    wait_for_events();
    end_forfeited();
    collect();
    const auto now = steady_clock::now();
    settle(now);
    sweep(now);
  }
  stop_all();
}

/// Takes the commands; false if it is time to stop.
bool transport::loop::obey() {
  commands now;
  {
    const std::lock_guard lock{guard_};
    std::swap(now, queue_);
    queue_.stop = now.stop;
  }
  for (auto& x : now.begin) waiting_.push_back(std::move(x));
  for (const auto id : now.cancel) stop_one(id, ec::cancelled, "the request was cancelled");
  return !now.stop;
}

void transport::loop::begin_waiting() {
  while (!waiting_.empty() && active_.size() < most_active_) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(next));
  }
}

void transport::loop::begin(std::unique_ptr<exchange> x) {
  const auto remaining = x->remaining(steady_clock::now());
  if (remaining <= milliseconds{0}) {
    auto how = x->stopped(ec::timeout, "the time was over before the request could be sent");
    return finish(std::move(x), std::move(how));
  }
  CURL* easy = take_handle();
  if (easy == nullptr) {
    auto how = x->stopped(ec::connect_failed, "libcurl has no memory for another request");
    return finish(std::move(x), std::move(how));
  }
  x->begin(easy, options_, budget_, remaining, &on_complete_);
  const auto id = x->id();
  active_.emplace(id, std::move(x));
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK)
    stop_one(id, ec::connect_failed, "libcurl did not take the request");
}

int transport::loop::sleep_ms(steady_time now) const noexcept {
  auto until = now + longest_sleep;
  if (timer_) until = std::min(until, *timer_);
  if (!settling_.empty()) until = std::min(until, settling_.front().first);
  if (!waiting_.empty()) until = std::min(until, now + sweep_every);
  return static_cast<int>(std::max<int64_t>(0, std::chrono::ceil<milliseconds>(until - now).count()));
}

void transport::loop::wait_for_events() {
  std::array<epoll_event, events_at_once> events{};
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), sleep_ms(steady_clock::now()));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<size_t>(i)];
    if (event.data.fd == event_) {
      uint64_t ignored = 0;
      [[maybe_unused]] const auto drained = ::read(event_, &ignored, sizeof ignored);
      continue;
    }
    const int mask = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                     ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                     ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    drive(event.data.fd, mask);
  }
  if (timer_ && *timer_ <= steady_clock::now()) {
    timer_.reset();
    drive(CURL_SOCKET_TIMEOUT, 0);
  }
}

void transport::loop::drive(curl_socket_t fd, int mask) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, mask, &running);
}

void transport::loop::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto result = message->data.result;
    exchange* ended = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &ended);
    auto node = active_.extract(ended->id());
    finish(std::move(node.mapped()), ended->end(result));
  }
}

/// Ends streams whose message is whole although the server keeps them open.
void transport::loop::settle(steady_time now) {
  while (!settling_.empty() && settling_.front().first <= now) {
    const auto id = settling_.front().second;
    settling_.pop_front();
    stop_one(id, ec::none, "");
  }
}

/// Called by libcurl's own callback, where no exchange can be ended. The largest exchanges give up first, so that a
/// server that sends too much loses its own answers and not those of others.
void transport::loop::relieve() {
  while (budget_.used > budget_.limit) {
    const auto largest = std::max_element(active_.begin(), active_.end(), [](const auto& a, const auto& b) {
      return a.second->forfeitable() < b.second->forfeitable();
    });
    if (largest == active_.end() || largest->second->forfeitable() == 0) return;
    largest->second->forfeit();
    forfeited_.push_back(largest->first);
  }
}

void transport::loop::end_forfeited() {
  for (const auto id : std::exchange(forfeited_, {}))
    stop_one(id, ec::malformed_answer, "the answers in flight take more memory than allowed, so this one was stopped");
}

void transport::loop::sweep(steady_time now) {
  std::vector<uint64_t> late;
  for (const auto& x : waiting_)
    if (x->remaining(now) <= milliseconds{0}) late.push_back(x->id());
  for (const auto id : late) stop_one(id, ec::timeout, "the time was over before the request could be sent");
}

void transport::loop::stop_one(uint64_t id, ec code, const char* message) {
  if (auto node = active_.extract(id)) {
    auto x = std::move(node.mapped());
    auto how = x->stopped(code, message);
    return finish(std::move(x), std::move(how));
  }
  const auto hit = std::find_if(waiting_.begin(), waiting_.end(), [id](const auto& x) { return x->id() == id; });
  if (hit == waiting_.end()) return;
  auto x = std::move(*hit);
  waiting_.erase(hit);
  auto how = x->stopped(code, message);
  finish(std::move(x), std::move(how));
}

void transport::loop::stop_all() {
  std::vector<uint64_t> ids;
  for (const auto& [id, _] : active_) ids.push_back(id);
  for (const auto& x : waiting_) ids.push_back(x->id());
  for (const auto id : ids) stop_one(id, ec::cancelled, "the program is stopping");
}

void transport::loop::finish(std::unique_ptr<exchange> x, http_end how) {
  if (CURL* easy = x->easy()) {
    curl_multi_remove_handle(multi_, easy);
    keep_handle(x->release());
  }
  --in_flight_;
  x->done(std::move(how));
}

CURL* transport::loop::take_handle() {
  if (!handles_.empty()) {
    CURL* easy = handles_.back();
    handles_.pop_back();
    return easy;
  }
  CURL* easy = curl_easy_init();
  if (easy != nullptr) exchange::prepare(easy, options_);
  return easy;
}

void transport::loop::keep_handle(CURL* easy) {
  if (handles_.size() < spare_handles)
    handles_.push_back(easy);
  else
    curl_easy_cleanup(easy);
}

int transport::loop::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& loop_of = *static_cast<loop*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(loop_of.epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.data.fd = fd;
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  if (known != nullptr && epoll_ctl(loop_of.epoll_, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
  if (epoll_ctl(loop_of.epoll_, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST)
    epoll_ctl(loop_of.epoll_, EPOLL_CTL_MOD, fd, &event);
  curl_multi_assign(loop_of.multi_, fd, &loop_of);
  return 0;
}

int transport::loop::on_timer(CURLM*, long ms, void* self) {
  auto& loop_of = *static_cast<loop*>(self);
  if (ms < 0)
    loop_of.timer_.reset();
  else
    loop_of.timer_ = steady_clock::now() + milliseconds{ms};
  return 0;
}

expected<std::unique_ptr<transport>> transport::start(const transport_options& options) {
  auto running = std::make_unique<loop>(options);
  if (auto ok = running->open(); !ok) return tl::unexpected(ok.error());
  return std::unique_ptr<transport>{new transport{std::move(running)}};
}

transport::transport(std::unique_ptr<loop> running) : loop_(std::move(running)) {}

transport::~transport() = default;

uint64_t transport::submit(http_call call, std::shared_ptr<reply_reader> reader, on_done done) {
  return loop_->submit(std::move(call), std::move(reader), std::move(done));
}

void transport::cancel(uint64_t id) { loop_->cancel(id); }

void transport::stop() { loop_->stop(); }

uint64_t transport::in_flight() const noexcept { return loop_->in_flight(); }

}  // namespace cohort::claude
