// What a release says when it does not do what was asked of it.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class RefusedRelease : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
    slot = world.acquire("x");
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(RefusedRelease, SaysOfDirtWhatHelpsInThisPool) {
  const auto file = world.root() / "app/.meta/config.yaml";
  const auto written = read_text(file);
  const auto refused = [&](const std::string& on_dirty, std::vector<std::string> more) {
    write_text(file, written + "on_dirty: " + on_dirty + "\n");
    more.insert(more.begin(), {"release", "x"});
    const auto outcome = world.wtpool(more);
    EXPECT_EQ(outcome.code, 11) << outcome;
    return outcome.err;
  };
  write_text(slot / "README.md", "dirt\n");
  const std::string release = "hint: wtpool release x --pool app";
  const std::string drops = " (keeps commits in the trash and drops the rest: commit first what is to stay)\n";
  const auto says = [](const std::string& text, const std::string& hint) {
    return text.find("\n" + hint) != std::string::npos;
  };
  const auto saves = refused("save", {"--refuse-dirty"});
  EXPECT_TRUE(says(saves, release + " (keeps the work in the trash)\n")) << saves;
  const auto discards = refused("discard", {"--refuse-dirty"});
  EXPECT_TRUE(says(discards, release + drops)) << discards;
  for (const auto& more : {std::vector<std::string>{}, {"--refuse-dirty"}}) {
    const auto refuses = refused("refuse", more);
    EXPECT_TRUE(says(refuses, release + " --discard" + drops)) << refuses;
  }
  const auto tip = Repo(slot).commit("README.md", "what is to stay\n");
  EXPECT_EQ(world.wtpool({"release", "x"}).code, 11) << "commits are dirt, too";
  EXPECT_EQ(world.wtpool({"release", "x", "--pool", "app", "--discard", "--wait"}).code, 0);
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_TRUE(refs.front().ends_with("/heads/x"));
  EXPECT_EQ(repo.git({"rev-parse", refs.front()}), tip);
}

TEST_F(RefusedRelease, SeesWhatABitHidesFromStatus) {
  const auto refused = [&](const std::string& bit) {
    git(slot, {"update-index", "--" + bit, "README.md"});
    write_text(slot / "README.md", bit + "\n");
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    const auto index = read_text(gitdir_of(slot) / "index");
    const auto outcome = world.wtpool({"release", "x", "--refuse-dirty"});
    EXPECT_EQ(outcome.code, 11) << bit << outcome;
    EXPECT_NE(outcome.err.find("1 tracked file changed"), std::string::npos) << outcome;
    EXPECT_NE(outcome.err.find("README.md"), std::string::npos) << outcome;
    EXPECT_EQ(read_text(gitdir_of(slot) / "index"), index) << "the holder's own";
  };
  refused("skip-worktree");
  git(slot, {"update-index", "--no-skip-worktree", "README.md"});
  refused("assume-unchanged");
  write_text(slot / "README.md", repo.git({"show", "HEAD:README.md"}) + "\n");
  const auto clean = world.wtpool({"release", "x", "--refuse-dirty"});
  EXPECT_EQ(clean.code, 0) << "the bit alone changes nothing" << clean;
}

TEST_F(RefusedRelease, SaysInTheLogWhyARemoteBranchWasNotDeleted) {
  repo.git({"remote", "add", "origin", (world.dir() / "nowhere.git").string()});
  world.release("x", {"--delete-remote"});
  const auto said = [&] {
    std::string found;
    for (const auto& line : lines_of(read_text(world.state() / "wtpoold.log"))) {
      if (line.find(" warning ") != std::string::npos && line.find("'x' in pool 'app'") != std::string::npos) found = line;
    }
    return found;
  };
  EXPECT_TRUE(wait_until([&] { return !said().empty(); })) << read_text(world.state() / "wtpoold.log");
  EXPECT_NE(said().find("refs/heads/x"), std::string::npos) << said();
  EXPECT_NE(said().find("nowhere.git"), std::string::npos) << said();
}

}  // namespace
}  // namespace wtpool::test
