// Ledgers of older formats.

#include <sqlite3.h>

#include "fixture.hpp"

namespace cohort {
namespace {

struct format_test : state_test {
  void change(const std::string& sql) const {
    sqlite3* base = nullptr;
    ASSERT_EQ(::sqlite3_open(place.ledger_file().c_str(), &base), SQLITE_OK);
    EXPECT_EQ(::sqlite3_exec(base, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << ::sqlite3_errmsg(base);
    ::sqlite3_close(base);
  }
  void make_format_1() {
    {
      auto book = open();
      const auto run = plan(book, {"a.py", "b.py"});
      store(book, run, intent_for("a.py", 1), answer_for("a.py", 1));
    }
    change("DROP TABLE placed; PRAGMA user_version=1");
  }
};

TEST_F(format_test, a_ledger_of_format_1_is_read_as_it_is) {
  make_format_1();
  const auto before = read_file(place.ledger_file()).value();
  {
    const auto book = ledger::open(place.ledger_file(), project, access::read_only);
    ASSERT_TRUE(book) << book.error().message;
    EXPECT_EQ(book->newest_run().value()->tasks().answered, 1u);
    EXPECT_TRUE(book->awaited(1).value().empty());
  }
  EXPECT_EQ(read_file(place.ledger_file()).value(), before);
}

TEST_F(format_test, a_ledger_of_format_1_is_brought_up_to_date_by_a_run) {
  make_format_1();
  auto book = open();
  auto wish = intent_for("b.py", 1);
  wish.node = "node-1";
  store(book, 1, wish);
  EXPECT_EQ(book.awaited(1).value().size(), 1u);
  EXPECT_EQ(newest(book).tasks().answered, 1u);
}

}  // namespace
}  // namespace cohort
