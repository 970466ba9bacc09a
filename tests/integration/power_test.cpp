// What a power loss leaves and a kill never does: files that were renamed into place and have no content. tests/faults/power
// finds such disks by chance; here are the ones that wtpool once could not live with, made by hand.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Power : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
  }
  void set_old(const fs::path& file) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(87600));
  }
  bool kept(const std::string& oid) const {
    const auto refs = repo.trash_refs();
    return std::any_of(refs.begin(), refs.end(), [&](const std::string& ref) { return repo.git({"rev-parse", ref}) == oid; });
  }
  void damage(const std::string& oid, const std::string& left) const {
    const auto object = repo.path() / ".git/objects" / oid.substr(0, 2) / oid.substr(2);
    fs::permissions(object, fs::perms::owner_all);
    write_text(object, left);
  }
  bool keeps(const std::string& file, const std::string& text) const {
    const auto refs = repo.trash_refs();
    return std::any_of(refs.begin(), refs.end(), [&](const std::string& ref) {
      return ref.ends_with("/work") && try_git(repo.path(), {"show", ref + ":" + file}).out == text;
    });
  }
  static bool set_aside(const fs::path& slot, const std::string& index) {
    for (const auto& item : fs::directory_iterator(gitdir_of(slot) / "worktree-pool"))
      if (item.path().filename().string().starts_with("damaged-index-") && read_text(item.path()) == index) return true;
    return false;
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Power, AHeldSlotsEmptyHeadIsPutBackOnItsBranch) {
  const auto slot = world.acquire("x");
  for (const std::string& left :
       {std::string(), std::string(20, '\0'), std::string("ref: refs/hea"), std::string("ref: refs/heads/")}) {
    world.stop_daemon();
    write_text(gitdir_of(slot) / "HEAD", left);
    world.start_daemon();
    EXPECT_EQ(world.state_of("slot-0"), "held") << "and the pool is loaded";
    EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/x") << left.size();
  }
  EXPECT_EQ(repo.complaint(), "");
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(Power, LocksFromBeforeTheMachineWasStartedAreRemovedAndOthersAreNot) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  const auto old = repo.path() / ".git/packed-refs.lock";
  const auto young = repo.path() / ".git/refs/heads/other.lock";
  write_text(old, "");
  write_text(young, "");
  set_old(old);
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held") << "and the pool is loaded";
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(Power, AReleaseThatWasCutOffGoesOnOverItsOwnLock) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  auto marker = read_text(marker_of(slot));
  marker.replace(marker.find("state: held"), 11, "state: releasing\non_dirty: save");
  write_text(marker_of(slot), marker);
  write_text(gitdir_of(slot) / "HEAD.lock", "");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.has_branch("x"));
}

TEST_F(Power, HalfAnEntryOfAFreshSlotIsMovedAsideWhateverItSays) {
  world.stop_daemon();
  const auto slot = world.root() / "app/slot-0";
  const auto entry = repo.path() / ".git/worktrees/slot-0";
  write_text(entry / "commondir", "..");
  write_text(entry / "gitdir", "");
  write_text(entry / "HEAD", repo.head() + "\n");
  write_text(world.root() / "app/.meta/init/slot-0.intent",
             "started_at: 2026-05-05T03:34:56Z\nfull_sha: " + repo.head() +
                 "\nformat: 2\nstate: acquiring\nname: x\nlease_id: " + std::string(32, 'a') +
                 "\nlease_kind: durable\nbranch_base: " + repo.head() + "\nentries: []\n");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  EXPECT_FALSE(fs::exists(entry));
  EXPECT_EQ(repo.complaint(), "");
}

// git takes an object that is there for whole, and would not write it again.
TEST_F(Power, AStagedFileOfWhichHalfIsLeftIsNotTakenForKept) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "work that was staged\n");
  git(slot, {"add", "README.md"});
  const auto blob = git(slot, {"hash-object", "README.md"});
  write_text(slot / "README.md", "and changed again\n");
  damage(blob, "");
  (void)world.wtpool({"release", "x", "--wait"});
  // What was staged is gone with its object; the file is kept.
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  const auto file = repo.git({"hash-object", "--stdin"}, "and changed again\n");
  EXPECT_NE(repo.git({"rev-list", "--objects", "--glob=refs/wtpool/trash/*"}).find(file), std::string::npos);
}

TEST_F(Power, AStagedFileThatStandsInTheTreeIsWrittenAgainAndKept) {
  for (const std::string& left : {std::string(), std::string(30, '\0'), std::string("x\x01K")}) {
    const auto slot = world.acquire("x");
    const std::string text = "staged, before " + std::to_string(left.size()) + " bytes of it were left\n";
    write_text(slot / "README.md", text);
    git(slot, {"add", "README.md"});
    damage(git(slot, {"hash-object", "README.md"}), left);
    world.release("x");
    EXPECT_EQ(world.state_of("slot-0"), "idle") << world.slot("slot-0");
    EXPECT_TRUE(keeps("README.md", text));
  }
  EXPECT_EQ(repo.complaint(), "");
}

// A holder's `git commit -- file` writes the trees of all that is staged as well, and syncs none.
TEST_F(Power, AnEmptyTreeOfWhatWasStagedIsWrittenAgain) {
  const auto slot = world.acquire("x");
  write_text(slot / "src/staged.c", "int staged;\n");
  git(slot, {"add", "."});
  const auto tree = git(slot, {"write-tree"});
  damage(tree, "");
  damage(git(slot, {"hash-object", "src/staged.c"}), "");
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle") << world.slot("slot-0");
  EXPECT_TRUE(keeps("src/staged.c", "int staged;\n"));
}

TEST_F(Power, AHeldSlotsDamagedIndexIsMadeAnewAndItsFilesStay) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "changed\n");
  write_text(slot / "notes.txt", "mine\n");
  const auto index = gitdir_of(slot) / "index";
  const auto whole = read_text(index);
  const auto zeros = [](std::size_t size) { return std::string(size, '\0'); };
  for (const std::string& left : {std::string(), zeros(whole.size()), whole.substr(0, 40), whole.substr(0, whole.size() - 9),
                                  whole.substr(0, 30) + zeros(whole.size() - 30)}) {
    world.stop_daemon();
    write_text(index, left);
    set_old(index);
    world.start_daemon();
    EXPECT_EQ(world.state_of("slot-0"), "held") << "and the pool is loaded";
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), " M README.md\n?? notes.txt") << left.size();
    EXPECT_EQ(read_text(slot / "README.md"), "changed\n");
    EXPECT_TRUE(set_aside(slot, left)) << left.size();
  }
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(Power, AnIndexThatGitCanReadAndOneOfThisBootIsNotMadeAnew) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "staged\n");
  git(slot, {"add", "README.md"});
  git(slot, {"update-index", "--split-index"});
  const auto index = gitdir_of(slot) / "index";
  set_old(index);
  world.stop_daemon();
  world.start_daemon();
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "M  README.md");
  world.stop_daemon();
  write_text(index, "");
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held") << "and the pool is loaded";
  EXPECT_EQ(read_text(index), "");
}

TEST_F(Power, AReleaseOverADamagedIndexKeepsTheFilesAndTheIndex) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "work\n");
  const auto index = gitdir_of(slot) / "index";
  const auto left = read_text(index).substr(0, 50);
  write_text(index, left);
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle") << world.slot("slot-0");
  EXPECT_TRUE(keeps("README.md", "work\n"));
  EXPECT_TRUE(set_aside(slot, left));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Power, AnAcquireThatWasCutOffOverADamagedIndexIsTakenBack) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  auto marker = read_text(marker_of(slot));
  marker.replace(marker.find("state: held"), 11, "state: acquiring");
  write_text(marker_of(slot), marker);
  write_text(gitdir_of(slot) / "index", std::string(64, '\0'));
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle")) << world.slot("slot-0");
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_TRUE(repo.trash_refs().empty()) << "nobody's work was in it";
}

TEST_F(Power, ARemovalThatWasCutOffIsFinished) {
  const auto slot = world.acquire("x");
  const auto entry = gitdir_of(slot);
  world.release("x");
  world.stop_daemon();
  fs::rename(slot, slot.parent_path() / ".meta/removing-slot-0");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh")) << world.slot("slot-0");
  EXPECT_FALSE(fs::exists(entry));
  EXPECT_FALSE(fs::exists(slot.parent_path() / ".meta/removing-slot-0"));
  EXPECT_EQ(repo.complaint(), "");
  EXPECT_EQ(world.acquire("y"), slot);
}

TEST_F(Power, AnIdleSlotsDamagedIndexIsMadeAnewBeforeItIsHandedOut) {
  const auto slot = world.acquire("x");
  world.release("x");
  world.stop_daemon();
  write_text(gitdir_of(slot) / "index", "");
  world.start_daemon();
  EXPECT_EQ(world.acquire("y"), slot);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_TRUE(repo.trash_refs().empty());
}

TEST_F(Power, WhatAnAcquireKeptIsNotReplacedByWhatItsReleaseKeeps) {
  repo.git({"branch", "x"});
  const auto old = git(repo.path(), {"commit-tree", "-m", "old work", repo.head() + "^{tree}"});
  repo.git({"update-ref", "refs/heads/x", old});
  const auto slot = world.acquire("x", {"--replace"});
  const auto tip = Repo(slot).commit("new.txt", "new work\n");
  world.release("x");  // within the second, mostly
  EXPECT_TRUE(kept(old));
  EXPECT_TRUE(kept(tip));
}

// Other slots go on.
TEST(OneHead, ThatCannotBeReadDoesNotTakeThePoolAlong) {
  World world;
  world.start_daemon();
  const auto repo = world.make_repo();
  world.init(repo);
  const auto slot = world.acquire("x");
  const auto other = world.acquire("y");
  world.stop_daemon();
  write_text(gitdir_of(slot) / "HEAD", std::string(2 * 1024 * 1024, 'x'));
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-1"), "held");
  world.release("y");
  EXPECT_EQ(world.acquire("z"), other);
}

}  // namespace
}  // namespace wtpool::test
