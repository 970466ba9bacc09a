#include "daemon/git/submodule/declared.hpp"

#include <gtest/gtest.h>

namespace wtpool::git {
namespace {

std::vector<ConfigEntry> one(const std::string& name, const std::string& path, const std::string& url) {
  return {{"submodule." + name + ".path", path}, {"submodule." + name + ".url", url}};
}
std::string fault(const std::vector<ConfigEntry>& entries) {
  const Declarations found = declared_submodules(entries);
  return found.refused.empty() ? "" : found.refused.front().why;
}

TEST(DeclaredSubmodules, AreReadWithTheirDots) {
  auto entries = one("lib.a/B", "lib/a", "../a.git");
  entries.push_back({"submodule.lib.a/B.worktreepooltag", "big"});
  entries.push_back({"submodule.lib.a/B.worktreepooltag", "slow"});
  entries.push_back({"submodule.lib.a/B.update", "none"});
  entries.push_back({"submodule.lib.a/B.url", "../last.git"});
  entries.push_back({"submodule.recurse", "true"});
  entries.push_back({"core.path", "x"});
  const Declarations found = declared_submodules(entries);
  ASSERT_TRUE(found.refused.empty()) << found.refused.front().name;
  ASSERT_EQ(found.usable.size(), 1u);
  EXPECT_EQ(found.usable[0], (DeclaredSubmodule{"lib.a/B", "lib/a", "../last.git", true, {"big", "slow"}}));
}

TEST(DeclaredSubmodules, WhoseNameOrPathLeadsElsewhereAreRefused) {
  for (const char* name : {"", "..", "../x", "a/../../b", "a/..", "..\\x", "a\\..\\b", "/x", "a//b", "a/", "a\nb", "."})
    EXPECT_NE(fault(one(name, "p", "../u")), "") << name;
  for (const char* path : {"", "..", "../x", "a/../b", "/x", "a/", "a//b", "-x", ".git", "a/.GIT/b", "a\nb", "./a"})
    EXPECT_NE(fault(one("n", path, "../u")), "") << path;
  for (const char* name : {"a", "lib/s1", "a..b", "...", "a b", "-x"}) EXPECT_EQ(fault(one(name, "p", "../u")), "") << name;
}

TEST(DeclaredSubmodules, WhoseUrlWouldRunSomethingAreRefused) {
  for (const char* url : {"", "-x", "ext::sh -c id", "foo://x/y", "../a%0ab", "https://h/a\nb"})
    EXPECT_NE(fault(one("n", "p", url)), "") << url;
  for (const char* url : {"../a", "https://h/a", "git@h:a", "/srv/a"}) EXPECT_EQ(fault(one("n", "p", url)), "") << url;
}

TEST(DeclaredSubmodules, AKeyWithoutItsValueIsRefused) {
  EXPECT_NE(fault({{"submodule.n.path", std::nullopt}, {"submodule.n.url", "../u"}}), "");
}

TEST(DeclaredSubmodules, ThatMeetInOnePathOrRepositoryAreRefused) {
  const auto both = [](std::vector<ConfigEntry> a, const std::vector<ConfigEntry>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return declared_submodules(a);
  };
  EXPECT_EQ(both(one("a", "p", "../u"), one("b", "p", "../v")).refused.size(), 2u);
  EXPECT_EQ(both(one("a", "p", "../u"), one("a/b", "q", "../v")).refused,
            (std::vector<RefusedSubmodule>{{"a/b", "its repository would be in another one's"}}));
  EXPECT_EQ(both(one("a", "p", "../u"), one("b", "p/q", "../v")).usable.size(), 1u);
  EXPECT_EQ(both(one("a", "p", "../u"), one("ab", "pq", "../v")).usable.size(), 2u);
}

}  // namespace
}  // namespace wtpool::git
