// Runs the server: one io_context, one thread, one acceptor.

#include "simulator/server/simulator.hpp"

#include <sys/resource.h>
#include <thread>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "simulator/server/connection.hpp"

namespace cohort::simulator {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

void raise_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // If this fails, there are fewer connections, which is no error.
}

expected<asio::ip::address> loopback(const std::string& host) {
  error_code problem;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, problem);
  if (problem || !address.is_loopback())
    return fail(ec::config_invalid,
                fmt::format("host \"{}\": the simulator serves loopback only, for example 127.0.0.1", host));
  return address;
}

}  // namespace

expected<void> simulator_options::validate() const {
  if (const auto address = loopback(host); !address) return tl::unexpected(address.error());
  return rules.validate();
}

class simulator::server {
 public:
  explicit server(std::unique_ptr<messages_api> api) : api_(std::move(api)), network_(std::make_unique<network>()) {}
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server() { stop(); }

  expected<void> listen(const tcp::endpoint& at) {
    error_code problem;
    network_->acceptor.open(at.protocol(), problem);
    if (!problem) network_->acceptor.set_option(tcp::acceptor::reuse_address{true}, problem);
    if (!problem) network_->acceptor.bind(at, problem);
    if (!problem) network_->acceptor.listen(asio::socket_base::max_listen_connections, problem);
    if (problem)
      return fail(ec::io, fmt::format("listening on {}:{}: {}; choose another --port, or 0 for any free one",
                                      at.address().to_string(), at.port(), problem.message()));
    endpoint_ = network_->acceptor.local_endpoint();
    accept();
    thread_ = std::thread{[this] { network_->io.run(); }};
    return {};
  }

  void stop() {
    if (!thread_.joinable()) return;
    network_->io.stop();
    thread_.join();
    network_.reset();  // closes all connections with their pending operations
  }

  [[nodiscard]] const tcp::endpoint& endpoint() const noexcept { return endpoint_; }
  [[nodiscard]] messages_api& api() const noexcept { return *api_; }

 private:
  struct network {
    asio::io_context io{1};
    tcp::acceptor acceptor{io};
    asio::steady_timer pause{io};
  };

  void accept() {
    network_->acceptor.async_accept([this](error_code problem, tcp::socket socket) {
      if (problem == asio::error::operation_aborted) return;
      if (!problem) {
        serve_connection(std::move(socket), *api_);
        return accept();
      }
      // Most likely there are no descriptors left: connections wait in the backlog until others close.
      network_->pause.expires_after(std::chrono::milliseconds{10});
      network_->pause.async_wait([this](error_code aborted) {
        if (!aborted) accept();
      });
    });
  }

  std::unique_ptr<messages_api> api_;  // outlives the connections that the network keeps alive
  std::unique_ptr<network> network_;
  tcp::endpoint endpoint_;
  std::thread thread_;
};

simulator::simulator(std::unique_ptr<server> running) noexcept : server_(std::move(running)) {}
simulator::~simulator() = default;

expected<std::unique_ptr<simulator>> simulator::start(const simulator_options& options) {
  if (auto fine = options.validate(); !fine) return tl::unexpected(fine.error());
  auto api = messages_api::create(options);
  if (!api) return tl::unexpected(api.error());
  raise_file_limit();
  auto running = std::make_unique<server>(std::move(*api));
  if (auto done = running->listen({*loopback(options.host), options.port}); !done) return tl::unexpected(done.error());
  return std::unique_ptr<simulator>(new simulator(std::move(running)));
}

uint16_t simulator::port() const noexcept { return server_->endpoint().port(); }

std::string simulator::base_url() const {
  const auto& at = server_->endpoint();
  const auto host = at.address().is_v6() ? "[" + at.address().to_string() + "]" : at.address().to_string();
  return fmt::format("http://{}:{}", host, at.port());
}

simulator_counters simulator::counters() const { return server_->api().counters().copy(); }

void simulator::stop() { server_->stop(); }

}  // namespace cohort::simulator
