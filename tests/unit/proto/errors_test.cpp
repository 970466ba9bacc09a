#include "proto/errors.hpp"

#include <gtest/gtest.h>

#include <set>

namespace wtpool::proto {
namespace {

TEST(Errors, KeepTheirCodesForEver) {
  EXPECT_EQ(info(ErrorKind::parse_error).code, -32700);
  EXPECT_EQ(info(ErrorKind::invalid_params).code, -32602);
  EXPECT_EQ(info(ErrorKind::cancelled).code, -32800);
  EXPECT_EQ(info(ErrorKind::contended).code, 3);
  EXPECT_EQ(info(ErrorKind::lease_lost).code, 13);
  EXPECT_EQ(info(ErrorKind::git_failed).code, 20);
  EXPECT_EQ(info(ErrorKind::queue_full).code, 42);
}

TEST(Errors, ExitWithTheirCodeFromThreeToSeventeenAndWithOneOtherwise) {
  std::set<int> exit_codes;
  for (const ErrorInfo& row : error_table()) {
    const bool promised = row.code >= 3 && row.code <= 17;
    const int other = row.kind == ErrorKind::invalid_params ? 2 : 1;
    EXPECT_EQ(row.exit_code, promised ? row.code : other) << row.name;
    if (promised) exit_codes.insert(row.code);
  }
  EXPECT_EQ(exit_codes.size(), 15U);
}

TEST(Errors, AreFoundByTheirName) {
  for (const ErrorInfo& row : error_table()) {
    EXPECT_EQ(kind_from_name(row.name), row.kind);
    EXPECT_FALSE(row.meaning.empty());
  }
  EXPECT_FALSE(kind_from_name("no_such_kind"));
  EXPECT_FALSE(kind_from_name(""));
}

}  // namespace
}  // namespace wtpool::proto
