#include "cluster/tls_records.hpp"

#include <string>

#include <gtest/gtest.h>

namespace cohort {
namespace {

TEST(tls_records, knows_who_may_begin_a_handshake) {
  EXPECT_TRUE(may_be_hello(""));
  EXPECT_TRUE(may_be_hello("\x16"));
  EXPECT_TRUE(may_be_hello("\x16\x03\x01"));
  EXPECT_FALSE(may_be_hello("GET / HTTP/1.1"));
  EXPECT_FALSE(may_be_hello("\x16\x02"));
  EXPECT_FALSE(may_be_hello("\x17\x03"));
}

TEST(tls_records, reads_the_verdict_off_the_first_record) {
  const auto record = [](char type, size_t length) {
    return std::string{type, 3, 3, static_cast<char>(length >> 8), static_cast<char>(length)} +
           std::string(length, 'x');
  };
  EXPECT_EQ(verdict_of(""), tls_verdict::none);
  EXPECT_EQ(verdict_of(record(0x16, 90)), tls_verdict::none) << "a hello";
  EXPECT_EQ(verdict_of(record(0x15, 2)), tls_verdict::refused) << "an alert in plain text";
  EXPECT_EQ(verdict_of(record(0x17, 19)), tls_verdict::refused) << "an encrypted alert";
  EXPECT_EQ(verdict_of(record(0x17, 250)), tls_verdict::accepted) << "session tickets";
  EXPECT_EQ(verdict_of(record(0x17, 19 + 256)), tls_verdict::accepted);
  EXPECT_EQ(verdict_of(std::string{0x17, 3, 3}), tls_verdict::none) << "cut short";
}

}  // namespace
}  // namespace cohort
