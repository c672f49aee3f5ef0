// Writes and reads the files of a spool. A file is the digest of its content in hexadecimal, a line break, and the
// content as CBOR, which keeps any bytes exactly.

#include "cluster/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/files.hpp"

namespace cohort::cluster {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr const char* extension = ".answer";
constexpr int format = 1;
constexpr const char* identity_file = "node-id";
constexpr uint64_t largest_kept = 64ULL << 20;

/// Makes a plain file name, whatever the parts of `x` are, because they come from a coordinator.
expected<std::string> name_of(const spooled_answer& x) {
  if (!is_identity(x.ledger_id) || x.run < 1 || x.attempt == 0 || x.task == task_id{})
    return fail(ec::usage, "an answer cannot be kept: it does not say properly whose it is");
  return fmt::format("{}-{}-{}-{}{}", x.ledger_id, x.run, to_string(x.task), x.attempt, extension);
}

std::string render(const spooled_answer& x) {
  const auto& usage = x.answer.usage;
  const json value{
      {"format", format},
      {"book", x.ledger_id},
      {"run", x.run},
      {"task", to_string(x.task)},
      {"attempt", x.attempt},
      {"lease", x.lease},
      {"sends", x.sends},
      {"took_ms", x.took.count()},
      {"request_id", x.answer.request_id},
      {"model", x.answer.model},
      {"stop", static_cast<int>(x.answer.stop)},
      {"text", json::binary({x.answer.text.begin(), x.answer.text.end()})},
      {"usage",
       {usage.input_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens, usage.cache_read_tokens,
        usage.output_tokens, static_cast<uint64_t>(usage.tier), static_cast<uint64_t>(usage.us_inference)}}};
  const auto bytes = json::to_cbor(value);
  return {bytes.begin(), bytes.end()};
}

spooled_answer read_back(const json& value) {
  spooled_answer x;
  x.ledger_id = value.at("book").get<std::string>();
  x.run = value.at("run").get<int64_t>();
  x.task = task_id_from_hex(value.at("task").get<std::string>());
  x.attempt = value.at("attempt").get<uint32_t>();
  x.lease = value.at("lease").get<uint64_t>();
  x.sends = value.at("sends").get<uint32_t>();
  x.took = milliseconds{value.at("took_ms").get<int64_t>()};
  x.answer.request_id = value.at("request_id").get<std::string>();
  x.answer.model = value.at("model").get<std::string>();
  x.answer.stop = static_cast<stop_reason>(
      std::min<uint64_t>(value.at("stop").get<uint64_t>(), static_cast<uint64_t>(stop_reason::unknown)));
  const auto& text = value.at("text").get_binary();
  x.answer.text.assign(text.begin(), text.end());
  const auto usage = value.at("usage").get<std::vector<uint64_t>>();
  auto& into = x.answer.usage;
  into.input_tokens = usage.at(0);
  into.cache_write_5m_tokens = usage.at(1);
  into.cache_write_1h_tokens = usage.at(2);
  into.cache_read_tokens = usage.at(3);
  into.output_tokens = usage.at(4);
  into.tier =
      static_cast<service_tier>(std::min<uint64_t>(usage.at(5), static_cast<uint64_t>(service_tier::as_reserved)));
  into.us_inference = usage.at(6) != 0;
  return x;
}

/// Nothing if the file is torn or altered.
std::optional<spooled_answer> parse(const std::string& content) {
  const auto end = content.find('\n');
  if (end != 64 || content.substr(0, 64) != to_hex(sha256(std::string_view{content}.substr(65)))) return std::nullopt;
  const auto value = json::from_cbor(content.begin() + 65, content.end(), true, false);
  if (!value.is_object() || value.value("format", 0) != format) return std::nullopt;
  try {
    return read_back(value);
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

/// The identity in the file, or a new one that is stored in it.
expected<std::string> identity_in(const folder& folder) {
  const auto known = folder.read(identity_file, 1024);
  if (known && is_identity(*known)) return *known;
  const auto fresh = random_hex(16);
  if (auto written = folder.replace(identity_file, fresh, durability::now, access::own); !written)
    return tl::unexpected{written.error()};
  return fresh;
}

/// Makes the folder accessible to this user only, whatever its mode was before.
expected<void> protect(const folder& folder) {
  struct stat info {};
  if (::fstat(folder.fd(), &info) != 0) return tl::unexpected{system_error(errno, "look at", folder.path())};
  if (info.st_uid != ::geteuid())
    return fail(ec::permission_denied, fmt::format("the folder '{}' belongs to another user; give this node one of its "
                                                   "own with --spool",
                                                   folder.path().string()));
  if ((info.st_mode & 07777) != 0700 && ::fchmod(folder.fd(), 0700) != 0)
    return tl::unexpected{system_error(errno, "protect", folder.path())};
  return {};
}

}  // namespace

expected<spool> spool::open(const fs::path& where) {
  auto made = folder::make(where, access::own);
  if (!made) return tl::unexpected{made.error()};
  if (auto done = protect(*made); !done) return tl::unexpected{done.error()};
  auto lock = made->open_file("lock", O_RDWR | O_CREAT, access::own);
  if (!lock) return tl::unexpected{lock.error()};
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return tl::unexpected{system_error(errno, "lock", where / "lock")};
    return fail(ec::state_locked,
                fmt::format("another node keeps its answers in '{}'; give this one a folder of its own "
                            "with --spool, or a name of its own with --name",
                            where.string()));
  }
  auto identity = identity_in(*made);
  if (!identity) return tl::unexpected{identity.error()};
  return spool{std::move(*made), std::move(*lock), std::move(*identity)};
}

expected<spool_contents> spool::load() const {
  spool_contents found;
  for (const auto& name : folder_.names()) {
    if (!name.ends_with(extension)) continue;
    auto content = folder_.read(name, largest_kept);
    if (!content && content.error().code != ec::permission_denied && content.error().code != ec::file_too_large)
      return tl::unexpected{content.error()};
    auto answer = content ? parse(*content) : std::nullopt;
    if (answer && name_of(*answer) == name) {
      found.answers.push_back(std::move(*answer));
      continue;
    }
    const auto aside = name + ".damaged";
    (void)folder_.remove(aside);
    if (auto moved = folder_.move(name, aside); !moved) return tl::unexpected{moved.error()};
    found.damaged.push_back(folder_.path() / aside);
  }
  return found;
}

expected<void> spool::keep(const spooled_answer& answer) const {
  const auto name = name_of(answer);
  if (!name) return tl::unexpected{name.error()};
  const auto text = render(answer);
  return folder_.replace(*name, to_hex(sha256(text)) + "\n" + text, durability::now, access::own);
}

expected<void> spool::forget(const spooled_answer& answer) const {
  const auto name = name_of(answer);
  if (!name) return tl::unexpected{name.error()};
  return folder_.remove(*name);
}

expected<fs::path> default_spool_folder(const std::string& name) {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  fs::path root;
  if (state != nullptr && *state == '/')
    root = state;
  else if (home != nullptr && *home == '/')
    root = fs::path{home} / ".local" / "state";
  else
    return fail(ec::config_invalid,
                "neither XDG_STATE_HOME nor HOME names a folder for this node's answers; give --spool");
  return root / "cohort" / "spool" / name;
}

}  // namespace cohort::cluster
