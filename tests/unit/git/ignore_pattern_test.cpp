#include "daemon/git/files/ignore_pattern.hpp"

#include <gtest/gtest.h>

namespace wtpool::git {
namespace {

bool takes(const std::string& pattern, const std::string& path, bool is_directory = true) {
  return matches_any({pattern}, path, is_directory);
}

}  // namespace

TEST(IgnorePattern, IsReadAsGitReadsOne) {
  EXPECT_TRUE(takes("node_modules/", "node_modules"));
  EXPECT_TRUE(takes("node_modules/", "web/node_modules"));
  EXPECT_TRUE(takes("node_modules/", "web/node_modules/left-pad/index.js", false));
  EXPECT_FALSE(takes("node_modules/", "node_modules", false));
  EXPECT_FALSE(takes("/target/", "sub/target"));
  EXPECT_TRUE(takes("/target/", "target"));
  EXPECT_TRUE(takes("target/doc/", "target/doc"));
  EXPECT_FALSE(takes("target/doc/", "x/target/doc"));
  EXPECT_TRUE(takes("**/doc", "a/b/doc"));
  EXPECT_TRUE(takes("**/doc", "doc"));
  EXPECT_TRUE(takes("a/**/b", "a/b"));
  EXPECT_TRUE(takes("a/**/b", "a/x/y/b"));
  EXPECT_TRUE(takes("a/**", "a/x"));
  EXPECT_TRUE(takes("*.o", "sub/x.o", false));
  EXPECT_FALSE(takes("/*.o", "sub/x.o", false));
  EXPECT_TRUE(takes("id_[re]sa*", "id_rsa.pub", false));
  EXPECT_FALSE(takes("id_[!r]sa", "id_rsa", false));
  EXPECT_TRUE(takes("a?c", "abc"));
  EXPECT_FALSE(takes("a?c", "a/c"));
  EXPECT_FALSE(takes("[", "x"));
  EXPECT_TRUE(takes("\\!x", "!x"));
}

TEST(IgnorePattern, TheLastOneThatSpeaksOfAPathDecides) {
  EXPECT_FALSE(matches_any({"*.log", "!keep.log"}, "keep.log", false));
  EXPECT_TRUE(matches_any({"!keep.log", "*.log"}, "keep.log", false));
  EXPECT_FALSE(matches_any({}, "x", false));
}

}  // namespace wtpool::git
