// Makes keys and certificates, EC P-256 throughout. Each certificate names its use (serverAuth for the coordinator,
// clientAuth for nodes), so that a node's certificate cannot play the coordinator.

#include "cluster/certificate_authority.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/folder.hpp"
#include "cluster/certificates.hpp"
#include "cluster/guarded_folder.hpp"

namespace cohort::cluster {

namespace fs = std::filesystem;

namespace {

constexpr long lifetime_seconds = 10L * 365 * 24 * 3600;
constexpr long clock_skew_seconds = 24L * 3600;

enum class part : uint8_t { authority, coordinator, node };

fs::path certificate_file(const fs::path& folder, const std::string& name) { return folder / (name + ".crt"); }
fs::path key_file(const fs::path& folder, const std::string& name) { return folder / (name + ".key"); }

expected<void> check_name(const std::string& name) {
  const bool letters = !name.empty() && name.size() <= 60 && name.front() != '.' && name.front() != '-' &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '_' || c == '.';
                       });
  if (!letters)
    return fail(ec::usage, fmt::format("'{}' cannot name a node: letters, digits, '-', '_' and '.', at most 60", name));
  if (name == authority_name || name == coordinator_name)
    return fail(ec::usage, fmt::format("'{}' is the name of the cluster's own {}", name,
                                       name == authority_name ? "authority" : "coordinator"));
  return {};
}

bool extend(X509& certificate, X509& issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  const bool added = extension != nullptr && X509_add_ext(&certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_serial(X509& certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7F;
  BIGNUM* number = BN_bin2bn(bytes, sizeof bytes, nullptr);
  const bool set = number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(&certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool describe(X509& certificate, X509& issuer, const std::string& name, part what) {
  bool fine = X509_set_version(&certificate, 2) == 1 && set_serial(certificate);
  fine = fine && X509_gmtime_adj(X509_getm_notBefore(&certificate), -clock_skew_seconds) != nullptr;
  fine = fine && X509_gmtime_adj(X509_getm_notAfter(&certificate), lifetime_seconds) != nullptr;
  X509_NAME* subject = X509_get_subject_name(&certificate);
  const auto put = [&](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0) == 1;
  };
  fine = fine && put("O", "cohort cluster") && put("CN", name);
  fine = fine && X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer)) == 1;
  const bool own = what == part::authority;
  fine = fine &&
         extend(certificate, issuer, NID_basic_constraints, own ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
  fine = fine && extend(certificate, issuer, NID_key_usage, own ? "critical,keyCertSign" : "critical,digitalSignature");
  if (what == part::coordinator) fine = fine && extend(certificate, issuer, NID_ext_key_usage, "serverAuth");
  if (what == part::node) fine = fine && extend(certificate, issuer, NID_ext_key_usage, "clientAuth");
  fine = fine && extend(certificate, issuer, NID_subject_key_identifier, "hash");
  return fine && extend(certificate, issuer, NID_authority_key_identifier, "keyid");
}

/// A new key and a certificate for it, signed by `issuer`, or by itself if there is none.
expected<identity_pair> make_identity(const std::string& name, part what, const identity_pair* issuer) {
  identity_pair made{key_ptr{EVP_EC_gen("P-256")}, certificate_ptr{X509_new()}};
  if (!made.key || !made.certificate) return fail(ec::io, "cannot make a key: " + openssl_message());
  auto& certificate = *made.certificate;
  auto& signer = issuer != nullptr ? *issuer : made;
  // The key's identifiers are computed from the public key, so it comes first.
  const bool fine = X509_set_pubkey(&certificate, made.key.get()) == 1 &&
                    describe(certificate, *signer.certificate, name, what) &&
                    X509_sign(&certificate, signer.key.get(), EVP_sha256()) > 0;
  if (!fine) return fail(ec::io, fmt::format("cannot make the certificate of '{}': {}", name, openssl_message()));
  return made;
}

/// Writes the key first; both files are readable by this user only, from the first byte on.
expected<void> store(const fs::path& where, const std::string& name, const identity_pair& made) {
  const auto folder = cohort::folder::open(where);
  if (!folder) return tl::unexpected{folder.error()};
  auto key = key_text(*made.key);
  if (!key) return tl::unexpected{key.error()};
  auto& secret = *key;
  auto kept = folder->replace(key_file({}, name), secret, durability::now, access::own);
  OPENSSL_cleanse(secret.data(), secret.size());
  if (!kept) return kept;
  const auto text = certificate_text(*made.certificate);
  if (!text) return tl::unexpected{text.error()};
  return folder->replace(certificate_file({}, name), *text, durability::now, access::own);
}

expected<identity_pair> load_authority(const fs::path& folder) {
  for (const auto& file : {certificate_file(folder, authority_name), key_file(folder, authority_name)})
    if (auto guarded = check_guarded_file(file, file.extension() == ".key"); !guarded)
      return tl::unexpected{guarded.error()};
  auto certificate = read_certificate(certificate_file(folder, authority_name));
  if (!certificate) return tl::unexpected{certificate.error()};
  auto key = read_key(key_file(folder, authority_name));
  if (!key) return tl::unexpected{key.error()};
  if (X509_check_private_key(certificate->get(), key->get()) != 1)
    return fail(ec::config_invalid,
                fmt::format("the key of the authority in '{}' does not belong to its certificate", folder.string()));
  return identity_pair{std::move(*key), std::move(*certificate)};
}

expected<void> issue(const fs::path& folder, const identity_pair& authority, const std::string& name, part what) {
  auto made = make_identity(name, what, &authority);
  if (!made) return tl::unexpected{made.error()};
  return store(folder, name, *made);
}

/// A new CA with certificates for the coordinator and all `nodes`. The CA's key comes last: after a crash in between
/// the folder has no usable authority, which `cluster init` recognises.
expected<void> issue_all(const fs::path& folder, const std::vector<std::string>& nodes) {
  auto authority = make_identity("authority", part::authority, nullptr);
  if (!authority) return tl::unexpected{authority.error()};
  if (auto done = issue(folder, *authority, coordinator_name, part::coordinator); !done) return done;
  for (const auto& node : nodes)
    if (auto done = issue(folder, *authority, node, part::node); !done) return done;
  return store(folder, authority_name, *authority);
}

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored);
}

expected<void> check_names(const std::vector<std::string>& nodes) {
  for (const auto& node : nodes)
    if (auto fine = check_name(node); !fine) return fine;
  return {};
}

}  // namespace

expected<cluster_members> members_of(const fs::path& folder) {
  if (!is_there(certificate_file(folder, authority_name)))
    return fail(ec::not_found, fmt::format("'{}' holds no cluster; make one with: cohort cluster init {}",
                                           folder.string(), folder.string()));
  cluster_members members;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{folder, failed}) {
    const auto name = entry.path().stem().string();
    if (entry.path().extension() == ".crt" && name != authority_name && name != coordinator_name)
      members.nodes.push_back(name);
  }
  if (failed) return tl::unexpected{system_error(failed.value(), "read", folder)};
  std::sort(members.nodes.begin(), members.nodes.end());
  return members;
}

expected<cluster_members> found_cluster(const fs::path& folder, const std::vector<std::string>& nodes) {
  if (auto fine = check_names(nodes); !fine) return tl::unexpected{fine.error()};
  if (is_there(certificate_file(folder, authority_name)) || is_there(key_file(folder, authority_name)))
    return fail(ec::usage, fmt::format("'{}' holds a cluster already; --add NAME makes a certificate for a further "
                                       "node, --revoke NAME takes one away",
                                       folder.string()));
  if (auto guarded = check_guarded(folder); !guarded) return tl::unexpected{guarded.error()};
  if (auto made = cohort::folder::make(folder, access::own); !made) return tl::unexpected{made.error()};
  if (auto done = issue_all(folder, nodes); !done) return tl::unexpected{done.error()};
  return members_of(folder);
}

expected<cluster_members> add_nodes(const fs::path& folder, const std::vector<std::string>& nodes) {
  if (auto fine = check_names(nodes); !fine) return tl::unexpected{fine.error()};
  if (auto guarded = check_guarded(folder); !guarded) return tl::unexpected{guarded.error()};
  auto present = members_of(folder);
  if (!present) return present;
  for (const auto& node : nodes)
    if (is_there(certificate_file(folder, node)))
      return fail(ec::usage, fmt::format("'{}' has a certificate for '{}' already", folder.string(), node));
  const auto authority = load_authority(folder);
  if (!authority) return tl::unexpected{authority.error()};
  for (const auto& node : nodes)
    if (auto done = issue(folder, *authority, node, part::node); !done) return tl::unexpected{done.error()};
  return members_of(folder);
}

expected<cluster_members> revoke_nodes(const fs::path& folder, const std::vector<std::string>& nodes) {
  if (auto guarded = check_guarded(folder); !guarded) return tl::unexpected{guarded.error()};
  auto present = members_of(folder);
  if (!present) return present;
  std::vector<std::string> kept;
  const std::set<std::string> revoked{nodes.begin(), nodes.end()};
  for (const auto& node : revoked)
    if (std::find(present->nodes.begin(), present->nodes.end(), node) == present->nodes.end())
      return fail(ec::usage, fmt::format("'{}' has no certificate for a node '{}'; there are: {}", folder.string(),
                                         node, fmt::join(present->nodes, ", ")));
  std::copy_if(present->nodes.begin(), present->nodes.end(), std::back_inserter(kept),
               [&](const std::string& node) { return !revoked.contains(node); });
  if (auto done = issue_all(folder, kept); !done) return tl::unexpected{done.error()};
  for (const auto& node : revoked) {
    std::error_code failed;
    for (const auto& file : {certificate_file(folder, node), key_file(folder, node)})
      if (fs::remove(file, failed); failed) return tl::unexpected{system_error(failed.value(), "remove", file)};
  }
  return members_of(folder);
}

}  // namespace cohort::cluster
