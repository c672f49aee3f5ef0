// Holds the credentials of one side: CA certificate, own certificate, own key, checked once and then kept in memory.
// Invariant: each connection begins with what was checked at the start, whatever becomes of the files meanwhile; the
// copies vanish with the process, even a killed one.
#pragma once

#include <array>
#include <filesystem>
#include <string>

#include "base/error.hpp"

namespace cohort::cluster {

/// Which side of a connection the credentials are for.
enum class cluster_side : uint8_t { coordinator, node };

class cluster_credentials {
 public:
  /// Reads and checks `ca.crt`, `NAME.crt` and `NAME.key` of `folder`. For a node `name` may be empty: then "node",
  /// else the folder's only certificate of a node. Errors name the file and what to do: missing, readable by others,
  /// expired, not signed by this CA, key and certificate of different pairs, made for the other side.
  [[nodiscard]] static expected<cluster_credentials> load(const std::filesystem::path& folder, cluster_side side,
                                                          const std::string& name = {});

  cluster_credentials(cluster_credentials&& other) noexcept;
  cluster_credentials& operator=(cluster_credentials&&) = delete;
  ~cluster_credentials();

  /// Paths that can be opened as long as this object lives.
  [[nodiscard]] std::string authority_path() const { return path_of(0); }
  [[nodiscard]] std::string certificate_path() const { return path_of(1); }
  [[nodiscard]] std::string key_path() const { return path_of(2); }
  /// Names the cluster: the digest of its authority's certificate.
  [[nodiscard]] const std::string& cluster() const noexcept { return cluster_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  cluster_credentials() = default;
  [[nodiscard]] std::string path_of(size_t index) const;

  std::array<int, 3> descriptors_{-1, -1, -1};
  std::string name_;
  std::string cluster_;
  std::filesystem::path folder_;
};

}  // namespace cohort::cluster
