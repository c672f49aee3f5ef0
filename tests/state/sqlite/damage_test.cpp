// A ledger that is torn, flipped, swapped, newer, copied, read while it is written, or on a full disk.

#include <cstring>
#include <random>

#include <sys/mount.h>

#include "state/sqlite/file_check.hpp"
#include "tests/state/fixture.hpp"

namespace cohort::state {
namespace {

struct damage_test : state_test {
  fs::path file = workspace.ledger_file();

  /// A ledger with a plan, money and answers in its main file. Its newest run in text form.
  std::string fill(int tasks = 40) {
    auto ledger = open();
    std::vector<std::string> names;
    for (int i = 0; i < tasks; ++i) names.push_back("t" + std::to_string(i));
    const auto run = plan(ledger, names, 10, 3000);
    for (const auto& name : names)
      store(ledger, run, intent_for(name, 1), answer_for(name, 1, std::string(2000, 'x') + name));
    return told(ledger);
  }

  /// Everything that a ledger tells about its newest run; the error's name if it cannot.
  static std::string told(const ledger& ledger) {
    const auto newest = ledger.newest_run();
    if (!newest) return std::string{name(newest.error().code)};
    if (!*newest) return "no run";
    const auto& run = **newest;
    std::string all = run.batch_id + run.settings.model + std::to_string(run.spent().confirmed.count) + "/" +
                      std::to_string(run.spent().unconfirmed.count);
    for (uint32_t i = 0; i < run.batches.size(); ++i) {
      const auto tasks = ledger.load_batch(run.id, i);
      if (!tasks) return std::string{name(tasks.error().code)};
      for (const auto& task : *tasks)
        all += to_string(task.spec.id) + std::string{name(task.state)} +
               to_hex(sha256(task.spec.request.prompt + task.answer));
    }
    return all;
  }

  /// One task and its answer, by a process that died without closing the ledger.
  void leave_a_killed_run() {
    EXPECT_EQ(in_killed_child([&] {
                auto ledger = open();
                const auto run = plan(ledger, {"a"});
                store(ledger, run, answer_for("a", 1));
                ::_exit(7);
              }),
              7);
  }
};

TEST_F(damage_test, garbage_and_truncation_are_errors_that_change_nothing) {
  const auto truth = fill();
  const auto good = read_file(file).value();
  ASSERT_EQ(good.size() % 4096, 0u);
  std::vector<std::string> bad{"", "x", std::string(100'000, 'g'), "SQLite format 3" + std::string(5000, '\0'),
                               good + "tail"};
  for (size_t size = 4096; size < good.size(); size += 4096) bad.push_back(good.substr(0, size));
  for (size_t size = 2048; size < good.size(); size += 40'960) bad.push_back(good.substr(0, size));
  for (const auto& content : bad) {
    overwrite(file, content);
    for (const auto how : {mode::read_only, mode::read_write}) {
      const auto ledger = ledger::open(file, project, how);
      ASSERT_FALSE(ledger) << content.size();
      EXPECT_EQ(ledger.error().code, ec::state_corrupt) << ledger.error().message;
      EXPECT_NE(ledger.error().message.find("--clean"), std::string::npos);
      EXPECT_NE(ledger.error().message.find(file.string()), std::string::npos);
      EXPECT_EQ(read_file(file).value(), content) << "a damaged ledger was changed";
    }
    fs::remove(wal_of(file));
    fs::remove(shm_of(file));
  }
  overwrite(file, good);
  EXPECT_EQ(told(open()), truth);
}

TEST_F(damage_test, a_flipped_bit_is_an_error_or_makes_no_difference) {
  const auto truth = fill(12);
  const auto good = read_file(file).value();
  std::mt19937_64 random{42};
  int found = 0;
  const int flips = 1500;
  for (int i = 0; i < flips; ++i) {
    auto bad = good;
    const auto at = i < 800 ? static_cast<size_t>(i) / 8 : random() % bad.size();
    bad[at] = static_cast<char>(bad[at] ^ (1 << (i % 8)));
    overwrite(file, bad);
    const auto ledger = ledger::open(file, project, mode::read_only);
    const auto said = ledger ? told(*ledger) : std::string{name(ledger.error().code)};
    const bool noticed = said == "state_corrupt" || said == "state_newer" || said == "state_untrusted";
    EXPECT_TRUE(noticed || said == truth) << "byte " << at << " bit " << i % 8 << ": " << said.substr(0, 100);
    found += noticed ? 1 : 0;
    ASSERT_EQ(read_file(file).value(), bad);
  }
  EXPECT_GT(found, flips / 4);
}

TEST_F(damage_test, a_cut_last_write_of_the_wal_is_rolled_back_and_earlier_ones_stay) {
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              const auto run = plan(ledger, {"a", "b", "c"});
              for (const auto* name : {"a", "b", "c"}) store(ledger, run, answer_for(name, 1));
              ::_exit(7);
            }),
            7);
  const auto base = read_file(file).value();
  const auto wal = read_file(wal_of(file)).value();
  const auto cut_to = [&](size_t size) {
    overwrite(file, base);
    overwrite(wal_of(file), wal.substr(0, size));
    fs::remove(shm_of(file));
    return newest(open()).spent().confirmed.count;
  };
  EXPECT_EQ(cut_to(wal.size()), 3 * cent);
  for (size_t cut = 1; cut < 4120; cut += 37) EXPECT_EQ(cut_to(wal.size() - cut), 2 * cent) << cut;
}

TEST_F(damage_test, a_wal_broken_in_the_middle_is_an_error_and_stays) {
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              const auto run = plan(ledger, {"a", "b", "c"});
              for (const auto* name : {"a", "b", "c"}) store(ledger, run, answer_for(name, 1));
              ::_exit(7);
            }),
            7);
  auto wal = read_file(wal_of(file)).value();
  for (const size_t at : {size_t{0}, size_t{17}, size_t{32 + 24 + 100}}) {
    auto bad = wal;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    overwrite(wal_of(file), bad);
    for (const auto how : {mode::read_only, mode::read_write}) EXPECT_EQ(open_error(how), ec::state_corrupt) << at;
    EXPECT_EQ(read_file(wal_of(file)).value(), bad);
  }
  overwrite(wal_of(file), wal);
  EXPECT_EQ(newest(open()).spent().confirmed.count, 3 * cent);
}

TEST_F(damage_test, a_wal_without_its_ledger_is_not_overwritten) {
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              plan(ledger, {"a"});
              ::_exit(7);
            }),
            7);
  fs::remove(file);
  EXPECT_EQ(open_error(mode::read_write), ec::state_corrupt);
  EXPECT_EQ(open_error(mode::read_only), ec::state_corrupt);
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(damage_test, a_wal_that_is_gone_is_an_error_unless_the_ledger_was_closed) {
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              store(ledger, plan(ledger, {"a"}), answer_for("a", 1));
              ::_exit(7);
            }),
            7);
  const auto base = read_file(file).value();
  for (const size_t left : {size_t{0}, size_t{32}}) {
    fs::remove(wal_of(file));
    fs::remove(shm_of(file));
    if (left > 0) overwrite(wal_of(file), std::string(left, 'w'));
    EXPECT_EQ(open_error(mode::read_only), ec::state_corrupt) << left;
    EXPECT_EQ(open_error(mode::read_write), ec::state_corrupt) << left;
    EXPECT_EQ(read_file(file).value(), base);
  }
}

TEST_F(damage_test, a_flipped_salt_does_not_make_two_commits_look_like_a_torn_end) {
  size_t end_of_first = 0;
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              const auto run = plan(ledger, {"a", "b"});
              store(ledger, run, answer_for("a", 1));
              overwrite(root / "size", std::to_string(fs::file_size(wal_of(file))));
              store(ledger, run, answer_for("b", 1));
              ::_exit(7);
            }),
            7);
  end_of_first = std::stoul(read_file(root / "size").value());
  auto wal = read_file(wal_of(file)).value();
  const auto salt = end_of_first - 4120 + 8;  // Of the first answer's last frame.
  wal[salt] = static_cast<char>(wal[salt] ^ 2);
  overwrite(wal_of(file), wal);
  EXPECT_EQ(open_error(mode::read_only), ec::state_corrupt);
  EXPECT_EQ(open_error(mode::read_write), ec::state_corrupt);
}

TEST_F(damage_test, a_reader_of_what_a_kill_left_leaves_nothing_behind_if_it_is_killed) {
  leave_a_killed_run();
  const auto before = read_file(wal_of(file)).value();
  const auto temporary = root / "temporary";
  fs::create_directories(temporary);
  ::setenv("TMPDIR", temporary.c_str(), 1);
  {
    const auto ledger = open(mode::read_only);
    EXPECT_TRUE(fs::is_empty(temporary)) << "while it reads";
    EXPECT_EQ(newest(ledger).spent().confirmed.count, cent);
  }
  EXPECT_TRUE(fs::is_empty(temporary));
  ::unsetenv("TMPDIR");
  EXPECT_EQ(read_file(wal_of(file)).value(), before) << "and what is read stays as it is";
}

TEST_F(damage_test, a_deleted_ledger_is_put_back_whole_and_over_nothing) {
  auto ledger = open();
  const auto run = plan(ledger, {"a", "b"});
  store(ledger, run, answer_for("a", 1));
  EXPECT_EQ(ledger.whereabouts(), ledger_location::there);
  fs::remove_all(workspace.root());
  EXPECT_EQ(ledger.whereabouts(), ledger_location::deleted);
  store(ledger, run, answer_for("b", 1));
  EXPECT_EQ(ledger.put_back().value(), file);
  EXPECT_EQ(newest(open(mode::read_only)).spent().confirmed.count, 2 * cent);
  const auto kept = read_file(file).value();
  const auto second = ledger.put_back().value();
  EXPECT_NE(second, file);
  EXPECT_EQ(read_file(file).value(), kept) << "what stood there was overwritten";
  EXPECT_TRUE(ledger::open(second, project, mode::read_only));
  EXPECT_EQ(newest(open()).spent().confirmed.count, 2 * cent);
}

TEST_F(damage_test, a_ledger_that_was_moved_while_it_was_open_is_found) {
  auto ledger = open();
  const auto run = plan(ledger, {"a"});
  fs::rename(workspace.root(), root / "elsewhere");
  EXPECT_EQ(ledger.whereabouts(), ledger_location::moved);
  EXPECT_EQ(ledger.path_now(), root / "elsewhere" / "ledger.db");
  store(ledger, run, answer_for("a", 1));
  EXPECT_FALSE(fs::exists(workspace.root()));
}

TEST_F(damage_test, a_newer_ledger_is_refused) {
  fill(2);
  auto content = read_file(file).value();
  content[63] = 5;  // user_version
  overwrite(file, content);
  EXPECT_EQ(open_error(mode::read_only), ec::state_newer);
  EXPECT_EQ(open_error(mode::read_write), ec::state_newer);
  EXPECT_EQ(read_file(file).value(), content);
}

TEST_F(damage_test, a_copied_ledger_is_foreign_and_a_moved_project_is_accepted) {
  fill(2);
  {
    auto ledger = open();
    const auto run = plan(ledger, {"a"});
    store(ledger, run, delivery_of("a", project / "t/a"));
  }
  const auto copy = root / "copy";
  fs::copy(project, copy, fs::copy_options::recursive);
  const state::workspace other{copy};
  const auto foreign = ledger::open(other.ledger_file(), copy, mode::read_write);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ec::state_foreign);
  EXPECT_NE(foreign.error().message.find(project.string()), std::string::npos);
  EXPECT_EQ(ledger::open(other.ledger_file(), copy, mode::read_only).error().code, ec::state_foreign);
  fs::remove_all(project);
  for (const auto how : {mode::read_only, mode::read_write, mode::read_only}) {
    const auto moved = ledger::open(other.ledger_file(), copy, how);
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_EQ(newest(*moved).project, copy.string());
    EXPECT_EQ(moved->delivered_content((copy / "t/a").string()).value(), sha256("file"));
    EXPECT_EQ(moved->unsynced().value().at(0).path, (copy / "t/a").string());
  }
}

TEST_F(damage_test, reading_leaves_no_trace_after_a_clean_end) {
  const auto truth = fill();
  const auto before = snapshot(workspace.root());
  ASSERT_EQ(before.count(wal_of(file).string()), 0u);
  EXPECT_EQ(told(open(mode::read_only)), truth);
  EXPECT_EQ(snapshot(workspace.root()), before);
}

TEST_F(damage_test, reading_after_a_crash_sees_the_wal_and_leaves_no_trace) {
  leave_a_killed_run();
  for (const bool with_shm : {true, false}) {
    if (!with_shm) fs::remove(shm_of(file));
    const auto before = snapshot(workspace.root());
    ASSERT_EQ(before.count(wal_of(file).string()), 1u);
    fs::path copies;
    {
      auto ledger = open(mode::read_only);
      EXPECT_EQ(newest(ledger).spent().confirmed.count, cent);
      EXPECT_EQ(ledger.begin().error().code, ec::permission_denied);
      EXPECT_EQ(ledger.update_run(1, {}, run_status::failed).error().code, ec::permission_denied);
      EXPECT_EQ(ledger.mark_synced({}).error().code, ec::permission_denied);
    }
    EXPECT_EQ(snapshot(workspace.root()), before);
  }
}

TEST_F(damage_test, reads_while_another_process_writes) {
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const auto child = ::fork();
  if (child == 0) {
    auto ledger = open();
    const auto run = plan(ledger, {"a"});
    store(ledger, run, answer_for("a", 1));
    char byte = 'r';
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(done[0], &byte, 1);
    store(ledger, run, answer_for("a", 2));
    ::_exit(newest(ledger).spent().confirmed.count == 2 * cent ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& entry : snapshot(workspace.root()))
      all.push_back(entry.first + "=" + std::to_string(entry.second.first.size()));
    return all;
  };
  const auto before = names();
  EXPECT_EQ(newest(open(mode::read_only)).spent().confirmed.count, cent);
  EXPECT_EQ(names(), before);
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "the reader disturbed the writer";
  for (const int fd : {ready[0], ready[1], done[0], done[1]}) ::close(fd);
}

TEST_F(damage_test, a_reader_in_the_same_process_does_not_break_the_writers_locks) {
  auto ledger = open();
  const auto run = plan(ledger, {"a"});
  for (uint32_t i = 1; i < 4; ++i) {
    store(ledger, run, answer_for("a", i));
    EXPECT_EQ(newest(open(mode::read_only)).spent().confirmed.count, cent * i);
  }
  EXPECT_EQ(in_killed_child([&] { ::_exit(open_error(mode::read_only) == ec::none ? 7 : 1); }), 7);
}

/// A small file system of its own.
struct small_disk {
  fs::path where;
  bool mounted = false;
  explicit small_disk(fs::path at) : where(std::move(at)) {
    fs::create_directories(where);
    mounted = ::mount("none", where.c_str(), "tmpfs", 0, "size=2m") == 0;
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (mounted) ::umount2(where.c_str(), MNT_DETACH);
  }
};

TEST_F(damage_test, a_full_disk_is_an_error_and_the_ledger_goes_on_when_there_is_space) {
  const small_disk disk{project / ".claude-testing"};
  if (!disk.mounted) GTEST_SKIP() << "this user may not mount a tmpfs";
  auto ledger = open();
  const auto run = plan(ledger, {"a", "b"});
  store(ledger, run, intent_for("a", 1), intent_for("b", 1));
  const auto filler = disk.where / "filler";
  {
    std::ofstream out{filler, std::ios::binary};
    const std::string block(4096, 'f');
    while (out.write(block.data(), 4096).flush()) continue;
  }
  const std::string text(300'000, 'a');
  for (int tries = 0; tries < 3; ++tries) {
    must(ledger.begin());
    auto stored = ledger.record(run, answer_for("a", 1, text));
    const auto outcome = stored ? ledger.commit() : expected<void>{tl::unexpected{stored.error()}};
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ec::disk_full) << outcome.error().message;
    ledger.rollback();
    EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 10 * cent);
  }
  fs::remove(filler);
  store(ledger, run, answer_for("a", 1, text));
  EXPECT_EQ(ledger.answer_of(run, task_named("a").id).value(), text);
  EXPECT_EQ(newest(ledger).spent().confirmed.count, cent);
}

TEST_F(damage_test, no_space_for_a_new_ledger_leaves_none_behind) {
  const small_disk disk{project / ".claude-testing"};
  if (!disk.mounted) GTEST_SKIP() << "this user may not mount a tmpfs";
  const auto filler = disk.where / "filler";
  {
    std::ofstream out{filler, std::ios::binary};
    const std::string block(4096, 'f');
    while (out.write(block.data(), 4096).flush()) continue;
  }
  EXPECT_EQ(open_error(), ec::disk_full);
  EXPECT_FALSE(fs::exists(file));
  fs::remove(filler);
  EXPECT_EQ(open_error(), ec::none);
}

}  // namespace
}  // namespace cohort::state
