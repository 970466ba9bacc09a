// Work that is finished: what `ls --git-status` says of it, and what `sweep` releases.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Sweeping : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo, {"--max-slots", "4"});
  }
  // A lease with one commit.
  fs::path work(const std::string& name) const {
    const auto slot = world.acquire(name);
    Repo(slot).commit(name + ".txt", "work\n");
    return slot;
  }
  void squash(const std::string& name) const {
    repo.git({"merge", "-q", "--squash", name});
    repo.git({"commit", "-qm", "squash of " + name});
  }
  [[nodiscard]] json rows(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"sweep"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world.json_of(arguments);
  }

  World world;
  Repo repo = world.make_repo();
};

TEST_F(Sweeping, ReleasesWhatWasSquashedAndKeepsTheRest) {
  work("done");
  work("open");
  world.acquire("fresh");
  squash("done");
  const auto swept = rows();
  ASSERT_EQ(swept.size(), 3u) << swept;
  EXPECT_EQ(swept[0]["name"], "done");
  EXPECT_EQ(swept[0]["class"], "merged");
  EXPECT_EQ(swept[0]["merged"]["reason"], "trees_match");
  EXPECT_EQ(swept[0]["merged"]["target"], "refs/heads/main");
  EXPECT_EQ(swept[0]["released"], true);
  EXPECT_FALSE(swept[0]["trash_id"].is_null()) << "the tip is kept all the same";
  EXPECT_EQ(swept[1]["class"], "ahead");
  EXPECT_EQ(swept[1]["ahead"], 1);
  EXPECT_EQ(swept[1]["behind"], 1);
  EXPECT_EQ(swept[1]["released"], false);
  EXPECT_EQ(swept[2]["class"], "young");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.has_branch("done"));
  EXPECT_TRUE(repo.has_branch("open"));
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Sweeping, SaysWhyANamedOneIsKept) {
  work("open");
  const auto kept = world.wtpool({"sweep", "open"});
  EXPECT_EQ(kept.code, 1) << kept;
  EXPECT_NE(kept.err.find("'open' is kept: 1 commit that the target lacks"), std::string::npos) << kept;
  EXPECT_EQ(world.wtpool({"sweep"}).code, 0) << "without names nothing has failed";
  EXPECT_EQ(world.wtpool({"sweep", "nobody"}).code, 1);
}

TEST_F(Sweeping, TouchesNothingWhenItIsDry) {
  work("done");
  squash("done");
  const auto before = repo.everything();
  EXPECT_EQ(rows({"--dry-run"})[0]["class"], "merged");
  EXPECT_EQ(world.state_of("slot-0"), "held");
  EXPECT_EQ(repo.everything(), before);
}

TEST_F(Sweeping, KeepsChangesNewFilesAndOperations) {
  const auto dirty = work("dirty");
  write_text(dirty / "README.md", "changed\n");
  const auto added = work("added");
  write_text(added / "new.txt", "new\n");
  const auto bisecting = work("bisecting");
  Repo(bisecting).git({"bisect", "start"});
  for (const auto* name : {"dirty", "added", "bisecting"}) squash(name);
  const auto swept = rows();
  EXPECT_EQ(swept[0]["class"], "dirty");
  EXPECT_EQ(swept[0]["dirty"], 1);
  EXPECT_EQ(swept[1]["class"], "dirty");
  EXPECT_EQ(swept[1]["untracked"], 1);
  EXPECT_EQ(swept[2]["class"], "busy");
  for (const auto& row : swept) EXPECT_EQ(row["released"], false) << row;
}

TEST_F(Sweeping, ALeaseWithoutCommitsIsNeverMergedAndStaysForADay) {
  world.acquire("empty");
  EXPECT_EQ(rows()[0]["class"], "young");
  EXPECT_EQ(rows()[0]["merged"]["reason"], "same_commit");
  repo.commit("other.txt", "moved on\n");
  EXPECT_EQ(rows()[0]["class"], "young");
  EXPECT_EQ(rows({"--min-age", "0"})[0]["class"], "empty");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

TEST_F(Sweeping, AProcessInTheSlotKeepsIt) {
  const auto slot = work("busy");
  squash("busy");
  Process sleeping({.argv = {"sleep", "300"}, .environment = world.environment, .directory = slot});
  EXPECT_EQ(rows()[0]["class"], "busy");
  sleeping.signal(SIGKILL);
  sleeping.wait();
  EXPECT_EQ(rows()[0]["released"], true);
}

TEST_F(Sweeping, TheListSaysHowWorkStandsToItsTarget) {
  work("done");
  world.acquire("empty");
  squash("done");
  const auto list = world.json_of({"ls", "--git-status"});
  EXPECT_EQ(list[0]["git"]["ahead"], 1);
  EXPECT_EQ(list[0]["git"]["behind"], 1);
  EXPECT_EQ(list[0]["git"]["merged"]["reason"], "trees_match");
  EXPECT_TRUE(list[0]["git"]["operation"].is_null());
  EXPECT_TRUE(list[1]["git"]["merged"].is_null()) << "a lease that has made no commit is never called merged";
  EXPECT_EQ(list[1]["git"]["behind"], 1);
  EXPECT_NE(world.wtpool({"ls", "--git-status"}).out.find("BEHIND  MERGED"), std::string::npos);
}

TEST_F(Sweeping, ReuseGivesTheSlotAndTheBranchAgain) {
  const auto slot = work("x");
  EXPECT_EQ(world.wtpool({"acquire", "x"}).code, 6);
  const auto again = world.wtpool({"acquire", "x", "--reuse"});
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_EQ(again.out, slot.string() + "\n");
  repo.git({"branch", "mine"});
  EXPECT_EQ(world.wtpool({"acquire", "mine"}).code, 9);
  EXPECT_EQ(world.wtpool({"acquire", "mine", "--reuse"}).code, 0);
  EXPECT_EQ(world.wtpool({"acquire", "main", "--reuse"}).code, 9) << "it is checked out elsewhere";
}

TEST_F(Sweeping, WhoamiOrientAndDiffSayWhereOneStands) {
  const auto slot = work("x");
  const auto at = [this](const fs::path& directory, std::vector<std::string> arguments) {
    return world.wtpool(std::move(arguments), {.directory = directory});
  };
  EXPECT_EQ(at(slot / "src", {"whoami"}).out, "slot\t" + slot.string() + "\n");
  EXPECT_EQ(at(repo.path(), {"whoami"}).out, "source\t" + repo.path().string() + "\n");
  EXPECT_EQ(at(world.dir(), {"whoami"}).out, "none\t\n");
  EXPECT_EQ(json::parse(at(slot, {"whoami", "--json"}).out)["name"], "x");
  write_text(slot / "AGENTS.md", "Read me.\n");
  EXPECT_EQ(at(slot / "src", {"orient"}).out, slot.string() + "\n\nRead me.\n");
  EXPECT_EQ(at(world.dir(), {"orient"}).code, 1);
  const auto diff = world.wtpool({"diff", "x", "--", "--name-only"});
  EXPECT_EQ(diff.out, "x.txt\n") << diff;
  write_text(slot / "README.md", "changed\n");
  EXPECT_EQ(at(slot, {"diff", "--", "--name-only"}).out, "README.md\nx.txt\n");
}

}  // namespace
}  // namespace wtpool::test
