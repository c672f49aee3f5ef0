// A file is the digest of its content in hexadecimal, a line break, and the content as CBOR: any bytes, exactly.

#include "cluster/spool.hpp"

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

namespace cohort {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr const char* extension = ".answer";
constexpr int format = 1;
constexpr uint64_t largest_answer = 64ULL << 20;

fs::path file_of(const fs::path& folder, const spooled_answer& x) {
  return folder / fmt::format("{}-{}-{}-{}{}", x.book, x.run, to_string(x.task), x.attempt, extension);
}

std::string render(const spooled_answer& x) {
  const auto& usage = x.answer.usage;
  const json value{
      {"format", format},
      {"book", x.book},
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
  x.book = value.at("book").get<std::string>();
  x.run = value.at("run").get<int64_t>();
  x.task = task_id_from_hex(value.at("task").get<std::string>());
  x.attempt = value.at("attempt").get<uint32_t>();
  x.lease = value.at("lease").get<uint64_t>();
  x.sends = value.at("sends").get<uint32_t>();
  x.took = milliseconds{value.at("took_ms").get<int64_t>()};
  x.answer.request_id = value.at("request_id").get<std::string>();
  x.answer.model = value.at("model").get<std::string>();
  x.answer.stop = static_cast<stop_reason>(value.at("stop").get<int>());
  const auto& text = value.at("text").get_binary();
  x.answer.text.assign(text.begin(), text.end());
  const auto usage = value.at("usage").get<std::vector<uint64_t>>();
  auto& into = x.answer.usage;
  into.input_tokens = usage.at(0);
  into.cache_write_5m_tokens = usage.at(1);
  into.cache_write_1h_tokens = usage.at(2);
  into.cache_read_tokens = usage.at(3);
  into.output_tokens = usage.at(4);
  into.tier = static_cast<service_tier>(usage.at(5));
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

expected<void> write_synced(const fs::path& file, const std::string& content, int directory) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return tl::unexpected{system_error(errno, "keep an answer in", file)};
  size_t done = 0;
  int why = 0;
  while (done < content.size() && why == 0) {
    const auto written = ::write(fd, content.data() + done, content.size() - done);
    if (written < 0 && errno != EINTR) why = errno;
    if (written > 0) done += static_cast<size_t>(written);
  }
  if (why == 0 && ::fsync(fd) != 0) why = errno;
  ::close(fd);
  if (why == 0 && ::fsync(directory) != 0) why = errno;
  if (why != 0) return tl::unexpected{system_error(why, "keep an answer in", file)};
  return {};
}

/// What the file says, or a new identity that is stored in it.
expected<std::string> identity_in(const fs::path& file) {
  auto known = read_file(file, 1024);
  if (known && known->size() == 32) return *known;
  const auto fresh = random_hex(16);
  if (auto written = replace_file(file, fresh, durability::now); !written) return tl::unexpected{written.error()};
  return fresh;
}

}  // namespace

expected<spool> spool::open(const fs::path& folder) {
  if (auto made = make_directories(folder); !made) return tl::unexpected{made.error()};
  if (::chmod(folder.c_str(), 0700) != 0) return tl::unexpected{system_error(errno, "protect", folder)};
  spool opened;
  opened.folder_ = folder;
  opened.lock_ = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (opened.lock_ < 0) return tl::unexpected{system_error(errno, "open", folder / "lock")};
  if (::flock(opened.lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return tl::unexpected{system_error(errno, "lock", folder / "lock")};
    return fail(ec::state_locked,
                fmt::format("another node keeps its answers in '{}'; give this one a folder of its own "
                            "with --spool, or a name of its own with --name",
                            folder.string()));
  }
  opened.directory_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened.directory_ < 0) return tl::unexpected{system_error(errno, "open", folder)};
  auto identity = identity_in(folder / "node-id");
  if (!identity) return tl::unexpected{identity.error()};
  opened.node_id_ = std::move(*identity);
  return opened;
}

spool::spool(spool&& other) noexcept
    : folder_(std::move(other.folder_)),
      node_id_(std::move(other.node_id_)),
      lock_(std::exchange(other.lock_, -1)),
      directory_(std::exchange(other.directory_, -1)) {}

spool::~spool() {
  if (directory_ >= 0) ::close(directory_);
  if (lock_ >= 0) ::close(lock_);
}

expected<spool_contents> spool::load() const {
  spool_contents found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{folder_, failed}) {
    if (entry.path().extension() != extension) continue;
    auto content = read_file(entry.path(), largest_answer);
    if (!content) return tl::unexpected{content.error()};
    if (auto answer = parse(*content)) {
      found.answers.push_back(std::move(*answer));
      continue;
    }
    const fs::path aside = entry.path().native() + ".damaged";
    fs::rename(entry.path(), aside, failed);
    found.damaged.push_back(aside);
  }
  if (failed) return tl::unexpected{system_error(failed.value(), "read", folder_)};
  return found;
}

expected<void> spool::keep(const spooled_answer& answer) const {
  const auto text = render(answer);
  return write_synced(file_of(folder_, answer), to_hex(sha256(text)) + "\n" + text, directory_);
}

expected<void> spool::forget(const spooled_answer& answer) const {
  const auto file = file_of(folder_, answer);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) return tl::unexpected{system_error(errno, "remove", file)};
  return {};
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

}  // namespace cohort
