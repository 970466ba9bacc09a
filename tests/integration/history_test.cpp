// A HEAD that moved over much history: each merge says again what the other side brought, 80 MB of it, and less than a hundred
// objects are new.
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class ReleaseAfterMuchHistory : public ::testing::Test {
 protected:
  static constexpr int kFiles = 2000;
  static constexpr int kMerges = 70;
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    slot = world.acquire("x");
    import_history();
    git(slot, {"reset", "-q", "--hard", "much"});
  }
  // One commit with many files, and after it merges of branches that began before.
  void import_history() const {
    const std::string head = repo.head();
    std::string stream = "blob\nmark :1\ndata 2\nf\n\n";
    int mark = 1;
    std::int64_t second = 4000000000;  // after whatever is committed today: it is listed first
    const auto commit = [&](const std::string& branch, const std::string& from, const std::string& merged) {
      stream += "commit refs/heads/" + branch + "\nmark :" + std::to_string(++mark) + "\ncommitter a <a@a> " +
                std::to_string(++second) + " +0000\ndata 1\nm\nfrom " + from + "\n";
      if (!merged.empty()) stream += "merge " + merged + "\n";
      return ":" + std::to_string(mark);
    };
    auto tip = commit("much", head, "");
    for (int i = 0; i < kFiles; ++i)
      stream += "M 100644 :1 " + std::string(120, 'd') + std::to_string(i % 10) + "/" + std::string(110, 'f') +
                std::to_string(i) + "\n";
    for (int i = 0; i < kMerges; ++i) {
      const auto side = commit("side", head, "");
      stream += "M 100644 :1 side" + std::to_string(i) + "\n";
      tip = commit("much", tip, side);
      stream += "M 100644 :1 side" + std::to_string(i) + "\n";
    }
    repo.git({"fast-import", "--quiet", "--force"}, stream);
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(ReleaseAfterMuchHistory, KeepsTheCommits) {
  const auto tip = Repo(slot).commit("README.md", "mine\n");
  world.release("x");
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_EQ(repo.git({"rev-parse", refs.front()}), tip);
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(ReleaseAfterMuchHistory, WorksWhereWorkIsDiscarded) {
  write_text(slot / "README.md", "dirt\n");
  world.release("x", {"--discard"});
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(read_text(slot / "README.md"), "A repository.\n");
}

TEST_F(ReleaseAfterMuchHistory, SeesThatAnObjectBehindItAllIsDamaged) {
  std::string text;
  for (unsigned i = 1; text.size() < 60000; i = i * 1664525U + 1013904223U) text += std::to_string(i);
  git(slot, {"reset", "-q", "--hard", "main"});
  (void)Repo(slot).commit("README.md", text);
  git(slot, {"merge", "-q", "-m", "much", "much"});
  const auto blob = git(slot, {"rev-parse", "HEAD:README.md"});
  const auto object = repo.path() / ".git/objects" / blob.substr(0, 2) / blob.substr(2);
  fs::permissions(object, fs::perms::owner_all);
  fs::resize_file(object, fs::file_size(object) / 2);
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_NE(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("damaged"), std::string::npos) << outcome;
  EXPECT_TRUE(repo.trash_refs().empty());
  EXPECT_TRUE(repo.has_branch("x"));
}

}  // namespace
}  // namespace wtpool::test
