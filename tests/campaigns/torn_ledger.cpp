// Damages the ledger, its WAL and the view byte by byte, below the program. Runs with the same seed / 64 have the same
// ledger, and seed % 64 says which bytes of it they damage: 64 seeds in a row reach every byte of the last write and of
// the view, and one byte in sixteen of all that was written before.
#include <algorithm>
#include <cstdlib>
#include <random>

#include <fmt/format.h>

#include "campaign.hpp"
#include "state/batch_state_file.hpp"
#include "state/sqlite/file_check.hpp"
#include "tests/state/fixture.hpp"

namespace cohort {

namespace fs = std::filesystem;
namespace {

constexpr uint64_t strides = 64;
constexpr uint64_t sparse = 16;  ///< Of what lies before the last write, one byte in so many.

struct totals {
  uint64_t cuts = 0;   ///< Within the last write.
  uint64_t flips = 0;  ///< Within the last write.
  uint64_t openings = 0;
  uint64_t corrupt = 0;
  uint64_t last_lost = 0;
  uint64_t unharmed = 0;
  uint64_t views = 0;
} sums;

/// What a ledger tells about its newest run, in one digest; the error's name if it tells nothing.
std::string told(const state::ledger& ledger) {
  const auto newest = ledger.newest_run();
  if (!newest) return std::string{name(newest.error().code)};
  if (!*newest) return "no run";
  const auto& run = **newest;
  std::string all = fmt::format("{} {} {}", run.batch_id, run.spent().confirmed.count, run.spent().unconfirmed.count);
  for (uint32_t i = 0; i < run.batches.size(); ++i) {
    const auto tasks = ledger.load_batch(run.id, i);
    if (!tasks) return std::string{name(tasks.error().code)};
    for (const auto& task : *tasks)
      all += fmt::format("{}{}{}{}", to_string(task.spec.id), name(task.state), task.spec.request.prompt, task.answer);
  }
  return to_hex(sha256(all));
}

/// What opening brings: a digest, or the error's name.
std::string opened(const state::workspace& workspace, state::mode how) {
  ++sums.openings;
  const auto ledger = state::ledger::open(workspace.ledger_file(), workspace.project, how);
  return ledger ? told(*ledger) : std::string{name(ledger.error().code)};
}

/// A ledger whose writer was killed.
struct scene {
  state::workspace workspace;
  std::string base;                 ///< The main file.
  std::string wal;                  ///< As the killed writer left it.
  size_t last_commit = 0;           ///< Where the last commit begins in `wal`.
  std::vector<std::string> truths;  ///< After each commit.
};

/// Never returns: the writer is gone before it can close anything.
[[noreturn]] void write_history(const state::workspace& workspace, const fs::path& notes, uint64_t history) {
  std::mt19937_64 dice{history};
  auto ledger = state::ledger::open(workspace.ledger_file(), workspace.project, state::mode::read_write).value();
  std::vector<std::string> names;
  for (uint64_t i = 0, count = 2 + dice() % 12; i < count; ++i) names.push_back(fmt::format("h{}t{}", history, i));
  const auto run = state::state_test::plan(ledger, names, 3, 200 + dice() % 6000);
  std::ofstream out{notes};
  const auto note = [&] {
    out << told(ledger) << ' ' << fs::file_size(state::wal_of(workspace.ledger_file())) << '\n';
  };
  for (const auto& task : names) {
    const auto reserved = static_cast<int64_t>(dice() % state::cent);
    state::state_test::store(ledger, run, state::intent_for(task, 1, reserved));
    note();
    state::state_test::store(ledger, run, state::answer_for(task, 1, std::string(dice() % 9000, 'x') + task),
                             state::intent_for(task, 2));
    note();
  }
  out.flush();
  ::_exit(7);
}

scene make_scene(const fs::path& folder, uint64_t history) {
  scene made{state::workspace{folder / "project"}, {}, {}, 0, {}};
  fs::create_directories(made.workspace.root());
  claim(state::in_killed_child([&] { write_history(made.workspace, folder / "notes", history); }) == 7,
        "the writer failed");
  std::ifstream notes{folder / "notes"};
  std::vector<size_t> sizes;
  std::string truth;
  for (size_t size = 0; notes >> truth >> size;) {
    made.truths.push_back(truth);
    sizes.push_back(size);
  }
  made.base = read_file(made.workspace.ledger_file()).value();
  made.wal = read_file(state::wal_of(made.workspace.ledger_file())).value();
  claim(made.truths.size() >= 4 && sizes.back() == made.wal.size(), "the notes do not fit the WAL");
  made.last_commit = sizes[sizes.size() - 2];
  return made;
}

/// Puts both files down; `wal` empty: none.
void lay(const scene& at, const std::string& base, const std::string& wal) {
  const auto file = at.workspace.ledger_file();
  state::state_test::overwrite(file, base);
  fs::remove(state::shm_of(file));
  if (wal.empty())
    fs::remove(state::wal_of(file));
  else
    state::state_test::overwrite(state::wal_of(file), wal);
}

/// Opens what was laid for reading, and now and then for writing, and checks the outcome: one of `allowed`, or
/// "state_corrupt", after which both files must be as they were.
void expect(const scene& at, const std::string& base, const std::string& wal, const std::vector<std::string>& allowed,
            bool may_be_corrupt, bool write, const std::string& where) {
  lay(at, base, wal);
  for (const auto how : {state::mode::read_only, state::mode::read_write}) {
    if (how == state::mode::read_write && !write) return;
    const auto outcome = opened(at.workspace, how);
    const bool corrupt = outcome == name(ec::state_corrupt) || outcome == name(ec::state_untrusted);
    const bool good = std::find(allowed.begin(), allowed.end(), outcome) != allowed.end();
    claim(good || (corrupt && may_be_corrupt), where + " brings " + outcome);
    sums.corrupt += corrupt ? 1 : 0;
    sums.last_lost += outcome == at.truths[at.truths.size() - 2] ? 1 : 0;
    sums.unharmed += outcome == at.truths.back() ? 1 : 0;
    if (!corrupt && how == state::mode::read_write) return;
    const auto file = at.workspace.ledger_file();
    claim(read_file(file).value() == base, where + ": the ledger was changed");
    const auto journal = read_file(state::wal_of(file));
    claim(journal.value_or("") == wal, where + ": the WAL was changed");
  }
}

std::string flipped(std::string bytes, size_t at, uint64_t bit) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << (bit % 8)));
  return bytes;
}

void cut_the_wal(const scene& at, uint64_t stride) {
  const auto& before = at.truths[at.truths.size() - 2];
  for (size_t size = at.last_commit + stride; size < at.wal.size(); size += strides, ++sums.cuts)
    expect(at, at.base, at.wal.substr(0, size), {before}, false, size % 7 == 0, fmt::format("a WAL cut to {}", size));
  // Cut further back, it looks like an earlier crash, down to where nothing is left of what must be there.
  for (size_t size = stride; size < 33; size += strides)
    expect(at, at.base, at.wal.substr(0, size), {}, true, true, fmt::format("a WAL cut to {}", size));
}

void flip_the_wal(const scene& at, uint64_t stride, std::mt19937_64& dice) {
  const auto& before = at.truths[at.truths.size() - 2];
  // The headers of WAL and frames are few, so that all of their bytes are taken, too.
  const auto in_header = [](size_t byte) { return byte < 32 || (byte - 32) % (24 + 4096) < 24; };
  for (size_t byte = stride; byte < at.wal.size(); byte += strides) {
    const bool last = byte >= at.last_commit;
    if (!last && !in_header(byte) && (byte / strides + stride) % sparse != 0) continue;
    sums.flips += last ? 1 : 0;
    const auto bit = dice();
    std::vector<std::string> allowed{at.truths.back()};
    if (last) allowed.push_back(before);
    expect(at, at.base, flipped(at.wal, byte, bit), allowed, true, byte % 7 == 0,
           fmt::format("bit {} of byte {} of the WAL", bit % 8, byte));
  }
}

void flip_the_ledger(const scene& at, uint64_t stride, std::mt19937_64& dice) {
  for (size_t byte = stride; byte < at.base.size(); byte += strides) {
    if (byte >= 100 && (byte / strides + stride) % sparse != 0) continue;
    const auto bit = dice();
    const auto bad = flipped(at.base, byte, bit);
    lay(at, bad, at.wal);
    const auto outcome = opened(at.workspace, state::mode::read_only);
    const bool refused = outcome == name(ec::state_corrupt) || outcome == name(ec::state_newer) ||
                         outcome == name(ec::state_foreign) || outcome == name(ec::state_untrusted);
    claim(refused || outcome == at.truths.back(), fmt::format("bit {} of byte {} brings {}", bit % 8, byte, outcome));
    claim(read_file(at.workspace.ledger_file()).value() == bad, "a damaged ledger was changed");
  }
}

/// Whole files: gone, another ledger's, another project's.
void exchange_files(const scene& at, const fs::path& folder, uint64_t history) {
  const auto other = make_scene(folder / "other", history + 1'000'000);
  const auto twin = make_scene(folder / "twin", history);  // The same in all but identity.
  expect(at, at.base, "", {}, true, true, "a WAL that is gone");
  for (const auto* stranger : {&other, &twin}) {
    expect(at, at.base, stranger->wal, {}, true, true, "the WAL of another ledger");
    expect(at, stranger->base, at.wal, {}, true, true, "the ledger of another WAL");
    lay(at, stranger->base, stranger->wal);
    for (const auto how : {state::mode::read_only, state::mode::read_write})
      claim(opened(at.workspace, how) == name(ec::state_foreign), "another project's ledger was taken");
    // Swapped: that project has got ours.
    lay(*stranger, at.base, at.wal);
    for (const auto how : {state::mode::read_only, state::mode::read_write})
      claim(opened(at.workspace, how) == name(ec::state_foreign), "a swapped ledger was taken");
    // That project has none any more.
    lay(*stranger, at.base, "");
    fs::remove(stranger->workspace.ledger_file());
    claim(opened(at.workspace, state::mode::read_write) == name(ec::state_foreign), "a misplaced ledger was taken");
  }
  lay(at, at.base, at.wal);
  fs::remove(at.workspace.ledger_file());
  claim(opened(at.workspace, state::mode::read_write) == name(ec::state_corrupt),
        "a WAL without its ledger was passed over");
  claim(!fs::exists(at.workspace.ledger_file()), "a new ledger was made over a WAL");
  lay(at, at.base, at.wal);
  state::state_test::overwrite(state::shm_of(at.workspace.ledger_file()), std::string(32768, 'z'));
  claim(opened(at.workspace, state::mode::read_write) == at.truths.back(), "a damaged -shm does harm");
}

/// The view, cut and flipped: it agrees with the run only if it says the same.
void damage_the_view(const scene& at, uint64_t stride) {
  lay(at, at.base, at.wal);
  const auto ledger =
      state::ledger::open(at.workspace.ledger_file(), at.workspace.project, state::mode::read_only).value();
  const auto run = state::state_test::newest(ledger);
  const auto good = state::render_batch_state(run);
  const auto file = at.workspace.batch_state_path();
  const auto disagrees = [&](const std::string& content, const std::string& where) {
    ++sums.views;
    state::state_test::overwrite(file, content);
    (void)state::read_batch_state(file);
    if (!state::batch_state_agrees(file, run)) return;
    // Blanks and times may differ.
    const auto normal = [](std::string text) { return std::erase_if(text, [](char c) { return c <= ' '; }), text; };
    const auto same = normal(content).substr(0, normal(content).find("\"startTime\""));
    claim(content.find("Time") == std::string::npos || normal(good).starts_with(same) ||
              content.size() + 1 == good.size(),
          where + " agrees with the ledger");
  };
  for (size_t size = stride; size + 2 < good.size(); size += strides)
    disagrees(good.substr(0, size), fmt::format("a view cut to {}", size));
  for (size_t byte = stride; byte < good.size(); byte += strides)
    for (uint64_t bit = 0; bit < 8; ++bit)
      disagrees(flipped(good, byte, bit), fmt::format("byte {} of the view", byte));
}

std::string damage(uint64_t seed, const fs::path& folder) {
  const auto history = seed / strides;
  const auto stride = seed % strides;
  std::mt19937_64 dice{seed};
  const auto at = make_scene(folder, history);
  const auto before = sums.openings;
  expect(at, at.base, at.wal, {at.truths.back()}, false, false, "an unharmed ledger");
  cut_the_wal(at, stride);
  flip_the_wal(at, stride, dice);
  flip_the_ledger(at, stride, dice);
  exchange_files(at, folder, history);
  damage_the_view(at, stride);
  return fmt::format("history {}, bytes {} modulo {}: WAL of {} bytes, {} in its last write, ledger of {}, {} openings",
                     history, stride, strides, at.wal.size(), at.wal.size() - at.last_commit, at.base.size(),
                     sums.openings - before);
}

}  // namespace
}  // namespace cohort

int main(int argc, char** argv) {
  using namespace cohort;
  const auto flags = parse_campaign_flags(argc, argv, 1);
  // Nothing here outlives the machine: memory is as good as a disk, and spares it thousands of syncs.
  if (fs::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  return run_campaign(
      "torn_ledger", "damage is an error that changes nothing, or makes no difference but to the last write", flags,
      damage, [] {
        return fmt::format(
            "{} openings: {} refused as damaged, {} without the last write, {} unharmed; {} views. The last write was "
            "cut "
            "at {} offsets, and a bit flipped in {} of its bytes",
            sums.openings, sums.corrupt, sums.last_lost, sums.unharmed, sums.views, sums.cuts, sums.flips);
      });
}
