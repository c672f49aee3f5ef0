// Checks a cluster's folder and copies its files into anonymous memory.

#include "cluster/credentials.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/files.hpp"
#include "cluster/certificate_authority.hpp"
#include "cluster/certificates.hpp"
#include "cluster/guarded_folder.hpp"

namespace cohort::cluster {

namespace fs = std::filesystem;

namespace {

using store_ptr = std::unique_ptr<X509_STORE, freed_by<&X509_STORE_free>>;
using check_ptr = std::unique_ptr<X509_STORE_CTX, freed_by<&X509_STORE_CTX_free>>;

expected<std::string> pick_name(const fs::path& folder, const std::string& wanted) {
  const auto members = members_of(folder);
  if (!members) return tl::unexpected{members.error()};
  const auto& nodes = members->nodes;
  const auto has = [&](const std::string& name) { return std::find(nodes.begin(), nodes.end(), name) != nodes.end(); };
  if (!wanted.empty() && has(wanted)) return wanted;
  if (has(first_node_name)) return std::string{first_node_name};
  if (nodes.size() == 1) return nodes.front();
  if (nodes.empty())
    return fail(ec::not_found, fmt::format("'{}' has no node's certificate; on the machine that has the authority: "
                                           "cohort cluster init {} --add NAME, then copy ca.crt, NAME.crt and NAME.key",
                                           folder.string(), folder.string()));
  return fail(ec::usage, fmt::format("'{}' has certificates for {}; say with --name which one is this node's",
                                     folder.string(), fmt::join(nodes, ", ")));
}

/// Checks a certificate as the peer will: signature, dates, and the side that it was made for.
expected<void> check_chain(X509& authority, X509& own, cluster_side side, const fs::path& file) {
  const store_ptr trusted{X509_STORE_new()};
  const check_ptr check{X509_STORE_CTX_new()};
  if (!trusted || !check || X509_STORE_add_cert(trusted.get(), &authority) != 1 ||
      X509_STORE_CTX_init(check.get(), trusted.get(), &own, nullptr) != 1)
    return fail(ec::io, "cannot check a certificate: " + openssl_message());
  X509_STORE_CTX_set_purpose(check.get(),
                             side == cluster_side::coordinator ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
  if (X509_verify_cert(check.get()) == 1) return {};
  const int why = X509_STORE_CTX_get_error(check.get());
  if (why == X509_V_ERR_INVALID_PURPOSE)
    return fail(ec::config_invalid, fmt::format("the certificate '{}' was not made for {}", file.string(),
                                                side == cluster_side::coordinator ? "a coordinator" : "a node"));
  return fail(
      ec::config_invalid,
      fmt::format("the certificate '{}' does not fit the authority 'ca.crt' beside it ({}); copy both anew from "
                  "the folder that `cohort cluster init` made",
                  file.string(), X509_verify_cert_error_string(why)));
}

expected<int> in_memory(const fs::path& file) {
  auto content = read_file(file, 1 << 20);
  if (!content) return tl::unexpected{content.error()};
  auto& text = *content;
  const int fd = ::memfd_create("cohort-cluster", MFD_CLOEXEC);
  if (fd < 0) return tl::unexpected{system_error(errno, "copy into memory", file)};
  const auto written = ::write(fd, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size());
  ::explicit_bzero(text.data(), text.size());
  if (whole) return fd;
  ::close(fd);
  return tl::unexpected{system_error(ENOSPC, "copy into memory", file)};
}

}  // namespace

expected<cluster_credentials> cluster_credentials::load(const fs::path& folder, cluster_side side,
                                                        const std::string& name) {
  if (auto guarded = check_guarded(folder); !guarded) return tl::unexpected{guarded.error()};
  auto own = side == cluster_side::coordinator ? expected<std::string>{coordinator_name} : pick_name(folder, name);
  if (!own) return tl::unexpected{own.error()};
  if (auto there = members_of(folder); !there) return tl::unexpected{there.error()};
  const std::array<fs::path, 3> files{folder / (std::string{authority_name} + ".crt"), folder / (*own + ".crt"),
                                      folder / (*own + ".key")};
  for (const auto& file : files)
    if (auto guarded = check_guarded_file(file, file.extension() == ".key"); !guarded)
      return tl::unexpected{guarded.error()};
  const auto authority = read_certificate(files[0]);
  if (!authority) return tl::unexpected{authority.error()};
  const auto certificate = read_certificate(files[1]);
  if (!certificate) return tl::unexpected{certificate.error()};
  const auto key = read_key(files[2]);
  if (!key) return tl::unexpected{key.error()};
  if (X509_check_private_key(certificate->get(), key->get()) != 1)
    return fail(ec::config_invalid, fmt::format("'{}' and '{}' are not a pair; copy both anew", files[1].string(),
                                                files[2].filename().string()));
  if (auto fits = check_chain(**authority, **certificate, side, files[1]); !fits) return tl::unexpected{fits.error()};
  cluster_credentials made;
  const auto authority_text = certificate_text(**authority);
  if (!authority_text) return tl::unexpected{authority_text.error()};
  made.name_ = *own;
  made.cluster_ = to_hex(sha256(*authority_text));
  made.folder_ = folder;
  for (size_t i = 0; i < files.size(); ++i) {
    auto copy = in_memory(files[i]);
    if (!copy) return tl::unexpected{copy.error()};
    made.descriptors_[i] = *copy;
  }
  return made;
}

cluster_credentials::cluster_credentials(cluster_credentials&& other) noexcept
    : descriptors_(std::exchange(other.descriptors_, {-1, -1, -1})),
      name_(std::move(other.name_)),
      cluster_(std::move(other.cluster_)),
      folder_(std::move(other.folder_)) {}

cluster_credentials::~cluster_credentials() {
  for (const int fd : descriptors_)
    if (fd >= 0) ::close(fd);
}

std::string cluster_credentials::path_of(size_t index) const {
  return fmt::format("/proc/self/fd/{}", descriptors_[index]);
}

}  // namespace cohort::cluster
