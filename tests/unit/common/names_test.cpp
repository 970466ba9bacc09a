#include "common/base/names.hpp"

#include <gtest/gtest.h>

#include <random>

#include "common/process/run_child.hpp"

namespace wtpool {
namespace {

// Git as the judge: one process a name, so the names are few and chosen for their odd characters.
bool git_takes(const std::string& name) {
  SpawnOptions options;
  options.argv = {"git", "check-ref-format", "--branch", name};
  options.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "GIT_CEILING_DIRECTORIES=/", "HOME=/nonexistent"};
  options.directory = "/";
  return run_child(options).ok();
}

TEST(Names, TakesWhatABranchMayBeCalled) {
  for (const std::string name :
       {"a", "a/b", "feature-x", "CI_4711", "v1.2", "a@b", "@a", "a{b}", "gr\xc3\xbcn", "\xe6\x97\xa5\xe6\x9c\xac", "HEADS",
        "head", "a/HEAD", "x.lockx", "refs", "a/-b", "a\"b", "a'b;$(x)"})
    EXPECT_EQ(bad_name(name), std::nullopt) << name;
  EXPECT_EQ(bad_name(std::string(200, 'a')), std::nullopt);
  EXPECT_EQ(bad_name(std::string(200, 'a') + "/" + std::string(43, 'b')), std::nullopt);
}

TEST(Names, RefusesWhatNobodyShouldBeCalled) {
  using namespace std::string_literals;
  for (const std::string& name : {""s,
                                  "../x"s,
                                  "-rf"s,
                                  "--help"s,
                                  "a..b"s,
                                  "refs/heads/x"s,
                                  "a\0b"s,
                                  "\0"s,
                                  std::string(300, 'a'),
                                  std::string(201, 'a'),
                                  std::string(200, 'a') + "/" + std::string(44, 'b'),
                                  "@"s,
                                  "HEAD"s,
                                  "FETCH_HEAD"s,
                                  "ORIG_HEAD"s,
                                  "x.lock"s,
                                  "x.lock/y"s,
                                  "a//b"s,
                                  "/a"s,
                                  "a/"s,
                                  ".a"s,
                                  "a/.b"s,
                                  "a."s,
                                  "a@{b"s,
                                  "a b"s,
                                  "a~b"s,
                                  "a^b"s,
                                  "a:b"s,
                                  "a?b"s,
                                  "a*b"s,
                                  "a[b"s,
                                  "a\\b"s,
                                  "a\nb"s,
                                  "a\tb"s,
                                  "a\x7f"s,
                                  "a\x1b[31m"s,
                                  "."s,
                                  ".."s,
                                  "/"s,
                                  "e\xcc\x81"s,
                                  "a\xff"s,
                                  "a\xc3"s,
                                  "\xed\xa0\x80"s,
                                  "\xc0\xaf"s,
                                  "a\xc2\x85"s})
    EXPECT_NE(bad_name(name), std::nullopt) << printable(name);
}

TEST(Names, RefusesBidirectionalCharacters) {
  for (const std::string character :
       {"\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad",
        "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9"}) {
    EXPECT_EQ(bad_name("a" + character + "b"), "has a bidirectional formatting character") << printable(character);
    EXPECT_EQ(printable(character).front(), '\\');
  }
}

TEST(Names, SaysWhy) {
  EXPECT_EQ(bad_name(std::string(201, 'a')), "has a component of 201 bytes; at most 200");
  EXPECT_EQ(bad_name("e\xcc\x81"), "is not in Unicode normal form C");
}

TEST(Names, TakesNothingThatGitRefuses) {
  static constexpr std::string_view kAlphabet = "aab./-@{~^:?*[\\ HEADlock\x01";
  std::mt19937 random(20260505);
  int taken = 0;
  for (int i = 0; i < 20000 && taken < 150; ++i) {
    std::string name;
    const auto length = 1 + random() % 7;
    for (unsigned n = 0; n < length; ++n) name += kAlphabet[random() % kAlphabet.size()];
    if (random() % 4 == 0) name += ".lock";
    if (bad_name(name)) continue;
    ++taken;
    EXPECT_TRUE(git_takes(name)) << name;
  }
  EXPECT_GE(taken, 100);
}

TEST(PoolKeys, AreOnePathComponent) {
  for (const char* const key : {"app", "my.app_2-x", "9"}) EXPECT_EQ(bad_pool_key(key), std::nullopt) << key;
  for (const std::string& key : {std::string(), std::string("."), std::string(".."), std::string("-x"), std::string("a/b"),
                                 std::string("a b"), std::string("\xc3\xbc"), std::string("a\0b", 3), std::string(101, 'a')})
    EXPECT_NE(bad_pool_key(key), std::nullopt) << printable(key);
}

TEST(Groups, LeaveSlotIdsClear) {
  for (const char* const group : {"ios", "android", "a.b_c", "my-app", "x1"})
    EXPECT_EQ(bad_group(group), std::nullopt) << group;
  for (const std::string& group :
       {std::string(), std::string("slot"), std::string("ios-1"), std::string("ios-"), std::string("1a"), std::string(".a"),
        std::string("a/b"), std::string("a,b"), std::string(65, 'a')})
    EXPECT_NE(bad_group(group), std::nullopt) << printable(group);
}

TEST(Printable, KeepsTextAndShowsTheRest) {
  EXPECT_EQ(printable("gr\xc3\xbcn \\ a"), "gr\xc3\xbcn \\ a");
  EXPECT_EQ(printable(std::string("a\0\x1b[0m\n\xff", 8)), "a\\x00\\x1b[0m\\x0a\\xff");
}

}  // namespace
}  // namespace wtpool
