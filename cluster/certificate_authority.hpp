// Keeps the cluster's own certificate authority: one folder with a private CA, a certificate for the coordinator and
// one for each node. The CA signs nothing else, so that whoever shows one of its certificates belongs to this cluster.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace cohort::cluster {

/// What a cluster's folder holds. Each name has `NAME.crt` and `NAME.key`; the CA is "ca", the coordinator
/// "coordinator".
struct cluster_members {
  std::vector<std::string> nodes;  ///< Sorted.
};

inline constexpr const char* authority_name = "ca";
inline constexpr const char* coordinator_name = "coordinator";
inline constexpr const char* first_node_name = "node";

/// Makes a CA, the coordinator's certificate and one for each of `nodes` in `folder` (made with mode 0700; keys get
/// 0600). `ec::usage` if there is a CA already or a name cannot be used.
[[nodiscard]] expected<cluster_members> found_cluster(const std::filesystem::path& folder,
                                                      const std::vector<std::string>& nodes);

/// Adds certificates for further nodes. `ec::usage` if a name is taken, `ec::not_found` without a CA.
[[nodiscard]] expected<cluster_members> add_nodes(const std::filesystem::path& folder,
                                                  const std::vector<std::string>& nodes);

/// Makes a new CA and new certificates for all but `nodes`, whose files are removed: no old certificate fits any more.
/// `ec::usage` if there is no node of a name.
[[nodiscard]] expected<cluster_members> revoke_nodes(const std::filesystem::path& folder,
                                                     const std::vector<std::string>& nodes);

/// The members that `folder` has certificates for. `ec::not_found` if it has no CA certificate.
[[nodiscard]] expected<cluster_members> members_of(const std::filesystem::path& folder);

}  // namespace cohort::cluster
