// What users of other tools met, and what a passing fault must not cost: each story is the smallest that shows its kind.
#include <gtest/gtest.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Field : public ::testing::Test {
 protected:
  void begin(std::vector<std::string> more = {}) {
    world.start_daemon();
    world.init(repo, std::move(more));
  }
  [[nodiscard]] bool quarantined(int slots) const {
    for (int i = 0; i < slots; ++i) {
      if (world.state_of("slot-" + std::to_string(i)) == "quarantined") return true;
    }
    return false;
  }
  static void append(const fs::path& file, const std::string& text) { write_text(file, read_text(file) + text); }

  World world;
  Repo repo = world.make_repo();
};

TEST_F(Field, AConfigurationThatGitCannotReadCostsNoSlot) {
  write_text(world.home() / ".gitconfig", "[user]\n\tname = t\n");
  begin({"--max-slots", "3"});
  world.acquire("two");
  world.release("two");
  const std::string sound = read_text(world.home() / ".gitconfig");
  write_text(world.home() / ".gitconfig", sound + "[broken\n");
  for (const char* name : {"n1", "n2", "n3", "n4", "n5"}) {
    const auto outcome = world.wtpool({"acquire", name});
    EXPECT_EQ(outcome.code, 1) << outcome;
    EXPECT_NE(outcome.err.find("bad config"), std::string::npos) << outcome;
  }
  const auto doctor = world.wtpool({"doctor"});
  EXPECT_EQ(doctor.out.find("git init"), std::string::npos) << doctor;
  write_text(world.home() / ".gitconfig", sound);
  EXPECT_FALSE(quarantined(3));
  world.acquire("m");
}

TEST_F(Field, AReleaseWaitsForAGitThatFailsForAWhileAndKeepsTheWork) {
  write_text(world.home() / ".gitconfig", "[user]\n\tname = t\n");
  begin({"--max-slots", "1"});
  const auto slot = world.acquire("x");
  append(slot / "README.md", "mine\n");
  const std::string sound = read_text(world.home() / ".gitconfig");
  write_text(world.home() / ".gitconfig", sound + "[broken\n");
  const auto outcome = world.wtpool({"release", "x", "--wait"});
  EXPECT_NE(outcome.code, 0) << outcome;
  EXPECT_FALSE(quarantined(1));
  write_text(world.home() / ".gitconfig", sound);
  (void)world.wtpool({"release", "x", "--wait"});
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.trash_refs().empty());
}

TEST_F(Field, ABlobThatDisagreesWithItsAttributesIsNobodysWork) {
  write_text(repo.path() / "w.txt", "l1\r\nl2\r\n");
  repo.git({"add", "-A"});
  repo.git({"commit", "-qm", "crlf"});
  write_text(repo.path() / ".gitattributes", "*.txt text\n");
  repo.git({"add", ".gitattributes"});
  repo.git({"commit", "-qm", "attributes"});
  begin({"--max-slots", "1"});
  for (const char* name : {"a", "b", "c"}) {
    const auto slot = world.acquire(name);
    fs::last_write_time(slot / "w.txt", fs::file_time_type::clock::now());
    const auto outcome = world.wtpool({"release", name, "--refuse-dirty", "--wait"});
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_EQ(world.state_of("slot-0"), "idle");
  }
  EXPECT_TRUE(repo.trash_refs().empty());
}

TEST_F(Field, ASlotIsWrittenAgainWhenTheConfigurationSaysOtherLineEnds) {
  write_text(repo.path() / "t.txt", "l1\nl2\n");
  write_text(repo.path() / ".gitattributes", "*.txt text\n");
  repo.git({"add", "-A"});
  repo.git({"commit", "-qm", "text"});
  begin({"--max-slots", "2"});
  world.acquire("a");
  world.release("a");
  repo.git({"config", "core.eol", "crlf"});
  const auto reused = world.acquire("b");
  const auto fresh = world.acquire("c");
  EXPECT_EQ(read_text(fresh / "t.txt"), "l1\r\nl2\r\n");
  EXPECT_EQ(read_text(reused / "t.txt"), read_text(fresh / "t.txt"));
}

TEST_F(Field, CheckpointsInRefsOfTheSlotsOwnAreKeptAndAreDirt) {
  begin();
  const auto slot = world.acquire("x");
  append(slot / "README.md", "checkpoint\n");
  const auto checkpoint = git(slot, {"stash", "create"});
  git(slot, {"update-ref", "refs/worktree/ckpt/1", checkpoint});
  git(slot, {"checkout", "-q", "README.md"});
  EXPECT_EQ(world.wtpool({"release", "x", "--refuse-dirty"}).code, 11);
  world.release("x");
  repo.git({"gc", "-q", "--prune=now"});
  EXPECT_EQ(repo.try_git({"cat-file", "-e", checkpoint}).code, 0);
}

TEST_F(Field, AWorktreeThatWasTakenAwayByHandIsToldOf) {
  begin();
  const auto slot = world.acquire("one");
  repo.git({"worktree", "remove", "-f", "-f", slot.string()});
  const auto doctor = world.wtpool({"doctor"});
  EXPECT_EQ(doctor.code, 1);
  EXPECT_NE(doctor.out.find("'one'"), std::string::npos) << doctor;
  world.stop_daemon();
  EXPECT_NE(read_text(world.state() / "wtpoold.log").find("'one'"), std::string::npos);
}

TEST_F(Field, ARemoveTellsOfIgnoredFilesAndKeepsASecret) {
  append(repo.path() / ".gitignore", ".env\n");
  repo.git({"commit", "-qam", "ignore"});
  begin();
  const auto slot = world.acquire("x");
  write_text(slot / ".env", "SECRET");
  write_text(slot / "main.o", "built");
  world.release("x");
  const auto outcome = world.wtpool({"remove", "slot-0"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("2 ignored files"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find(".env"), std::string::npos) << outcome;
  std::size_t kept = 0;
  for (const auto& item : fs::recursive_directory_iterator(world.root() / "app/.meta/trash"))
    kept += item.path().filename() == ".env" ? 1 : 0;
  EXPECT_EQ(kept, 1U);
}

TEST_F(Field, ARefusalNamesUntrackedFiles) {
  begin();
  const auto slot = world.acquire("x");
  write_text(slot / "probe.py", "p");
  const auto outcome = world.wtpool({"release", "x", "--refuse-dirty"});
  EXPECT_EQ(outcome.code, 11);
  EXPECT_NE(outcome.err.find("probe.py"), std::string::npos) << outcome;
}

TEST_F(Field, APathThatAcquirePrintedIsReleased) {
  begin();
  const auto slot = world.acquire("x");
  EXPECT_EQ(world.wtpool({"path", (slot / "src").string()}).out, slot.string() + "\n");
  EXPECT_EQ(world.wtpool({"release", world.dir().string()}).code, 1);
  EXPECT_EQ(world.wtpool({"release", slot.string(), "--wait"}).code, 0);
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(world.wtpool({"release", slot.string()}).code, 1);
}

TEST_F(Field, ADaemonThatACrontabStartedMakesFilesThatOthersMayRead) {
  world.daemon_prefix = {"/bin/sh", "-c", "umask 077; exec \"$0\" \"$@\""};
  begin();
  const auto slot = world.acquire("x");
  EXPECT_EQ(fs::status(slot / "README.md").permissions() & fs::perms::others_read, fs::perms::others_read);
}

TEST_F(Field, NameOfARemotesBranchBeginsThere) {
  const auto first = repo.head();
  repo.commit("a", "a");
  repo.git({"update-ref", "refs/remotes/origin/feat", first});
  begin();
  const auto outcome = world.wtpool({"acquire", "feat"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("origin/feat"), std::string::npos) << outcome;
  EXPECT_EQ(repo.git({"rev-parse", "refs/heads/feat"}), first);
}

}  // namespace
}  // namespace wtpool::test
