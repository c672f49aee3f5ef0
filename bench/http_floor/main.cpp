// The floor under every HTTP client of this project: the barest libcurl multi loop over epoll that posts one body N
// times, C at a time, and discards the answers. Prints one JSON line.

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <CLI/CLI.hpp>

#include "bench/process_usage.hpp"

namespace {

using cohort::bench::cpu_ms;
using cohort::bench::peak_rss_mb;

struct floor_loop {
  CURLM* multi = nullptr;
  int epoll = -1;
  long timer_ms = -1;
  uint64_t begun = 0;
  uint64_t done = 0;
  uint64_t failed = 0;
};

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& loop = *static_cast<floor_loop*>(self);
  epoll_event event{};
  event.data.fd = fd;
  if (what == CURL_POLL_REMOVE) return epoll_ctl(loop.epoll, EPOLL_CTL_DEL, fd, nullptr), 0;
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  if (epoll_ctl(loop.epoll, EPOLL_CTL_MOD, fd, &event) != 0) epoll_ctl(loop.epoll, EPOLL_CTL_ADD, fd, &event);
  return 0;
}

int on_timer(CURLM*, long ms, void* self) {
  static_cast<floor_loop*>(self)->timer_ms = ms;
  return 0;
}

CURL* new_request(const std::string& url, const std::string& body, curl_slist* headers) {
  CURL* easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &discard);
  return easy;
}

void collect(floor_loop& loop, uint64_t requests) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(loop.multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    loop.failed += message->data.result != CURLE_OK || status != 200 ? 1 : 0;
    ++loop.done;
    curl_multi_remove_handle(loop.multi, easy);
    if (loop.begun == requests) continue;
    ++loop.begun;
    curl_multi_add_handle(loop.multi, easy);
  }
}

void turn(floor_loop& loop) {
  std::array<epoll_event, 256> events{};
  const int count =
      epoll_wait(loop.epoll, events.data(), static_cast<int>(events.size()), static_cast<int>(loop.timer_ms));
  int running = 0;
  if (count <= 0) {
    loop.timer_ms = -1;
    curl_multi_socket_action(loop.multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<size_t>(i)];
    const int mask = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                     ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                     ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(loop.multi, event.data.fd, mask, &running);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string url;
  std::string body_file;
  uint64_t requests = 1000;
  uint64_t concurrency = 64;
  CLI::App app{"The barest HTTP client: posts a body N times and discards the answers."};
  app.add_option("--url", url, "Where to post, for example http://127.0.0.1:8080/v1/messages")->required();
  app.add_option("--requests", requests, "How many in all")->check(CLI::PositiveNumber);
  app.add_option("--concurrency", concurrency, "How many at a time")->check(CLI::PositiveNumber);
  app.add_option("--body", body_file, "File with the request's JSON")->required()->check(CLI::ExistingFile);
  CLI11_PARSE(app, argc, argv);
  std::ifstream file{body_file, std::ios::binary};
  const std::string body{std::istreambuf_iterator<char>{file}, {}};
  curl_global_init(CURL_GLOBAL_DEFAULT);
  curl_slist* headers = nullptr;
  for (const auto* line :
       {"content-type: application/json", "x-api-key: floor", "anthropic-version: 2023-06-01", "Expect:"})
    headers = curl_slist_append(headers, line);
  floor_loop loop{curl_multi_init(), epoll_create1(EPOLL_CLOEXEC)};
  curl_multi_setopt(loop.multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(loop.multi, CURLMOPT_SOCKETDATA, &loop);
  curl_multi_setopt(loop.multi, CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_multi_setopt(loop.multi, CURLMOPT_TIMERDATA, &loop);
  curl_multi_setopt(loop.multi, CURLMOPT_MAXCONNECTS, static_cast<long>(concurrency));
  const auto start = std::chrono::steady_clock::now();
  const double cpu_before = cpu_ms();
  std::vector<CURL*> handles;
  for (; loop.begun < std::min(concurrency, requests); ++loop.begun) {
    handles.push_back(new_request(url, body, headers));
    curl_multi_add_handle(loop.multi, handles.back());
  }
  while (loop.done < requests) {
    turn(loop);
    collect(loop, requests);
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  fmt::print(
      "{{\"requests\":{},\"concurrency\":{},\"failed\":{},\"wall_s\":{:.3f},\"requests_per_s\":{:.0f},"
      "\"cpu_ms_per_request\":{:.4f},\"peak_rss_mb\":{:.1f}}}\n",
      requests, concurrency, loop.failed, wall.count(), static_cast<double>(requests) / wall.count(),
      (cpu_ms() - cpu_before) / static_cast<double>(requests), peak_rss_mb());
  for (CURL* easy : handles) curl_easy_cleanup(easy);
  curl_multi_cleanup(loop.multi);
  curl_slist_free_all(headers);
  return loop.failed == 0 ? 0 : 1;
}
