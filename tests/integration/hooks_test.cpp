// Hooks of the pool and of the repository: run by the client, as the user, and those of the repository only once approved.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Hooks : public ::testing::Test {
 protected:
  void SetUp() override {
    world.environment["T"] = world.dir().string();
    world.start_daemon();
    world.init(repo);
  }
  void configure(const std::string& lines) const {
    const auto file = world.root() / "app/.meta/config.yaml";
    write_text(file, read_text(file) + lines);
  }
  [[nodiscard]] Outcome trust_in(const fs::path& directory, std::vector<std::string> more = {"--yes"}) const {
    more.insert(more.begin(), {"hooks", "trust"});
    World::Options there;
    there.directory = directory;
    return world.wtpool(more, there);
  }
  // What the hooks wrote into a file of the test's own.
  [[nodiscard]] std::string ran() const { return read_text(world.dir() / "ran"); }
  void forget() const { fs::remove(world.dir() / "ran"); }

  World world;
  Repo repo = world.make_repo();
  static constexpr const char* kFile = "hooks:\n  post_acquire: echo post >> $T/ran\n";
};

TEST_F(Hooks, ThePoolsOwnRunInTheSlotWithItsVariablesBeforeThePathIsPrinted) {
  configure(
      "hooks:\n  post_acquire: [\"echo $WTPOOL_NAME $WTPOOL_FRESH >> $T/ran; pwd >> $T/ran; echo said\", echo two >> $T/ran]\n"
      "  pre_release: echo over $WTPOOL_NAME >> $T/ran\n");
  const auto outcome = world.wtpool({"acquire", "x"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  const auto slot = (world.root() / "app/slot-0").string();
  EXPECT_EQ(outcome.out, slot + "\n");
  EXPECT_EQ(outcome.err, "said\n");
  EXPECT_EQ(ran(), "x 1\n" + slot + "\ntwo\n");
  forget();
  world.release("x");
  EXPECT_EQ(ran(), "over x\n");
}

TEST_F(Hooks, OneThatFailsRollsTheLeaseBack) {
  configure("hooks:\n  post_acquire: [exit 3, echo second >> $T/ran]\n");
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 16) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("wtpool: hook post_acquire (exit 3) ended with exit code 3\n"), std::string::npos) << outcome;
  EXPECT_EQ(ran(), "");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_EQ(world.wtpool({"run", "y", "--", "true"}).code, 125);
  EXPECT_EQ(world.wtpool({"acquire", "z", "--no-hooks"}).code, 0);
}

TEST_F(Hooks, ThoseOfARepositoryRunOnceTheyAreApproved) {
  repo.commit(".wtpool.yaml", kFile);
  const auto outcome = world.wtpool({"acquire", "x"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(ran(), "");
  EXPECT_NE(outcome.err.find("post_acquire of the repository is left out, since it is not approved"), std::string::npos);
  const auto slot = trimmed(outcome.out);

  EXPECT_EQ(trust_in(slot, {}).code, 2) << "nobody is there to be asked";
  EXPECT_EQ(world.wtpool({"hooks", "run", "post_acquire", "x"}).code, 16);
  EXPECT_EQ(world.json_of({"hooks", "ls"})[0]["may_run"], false);
  EXPECT_EQ(ran(), "");

  const auto trusted = trust_in(slot);
  ASSERT_EQ(trusted.code, 0) << trusted;
  EXPECT_NE(trusted.err.find("    hooks:\n      post_acquire: echo post >> $T/ran\n"), std::string::npos) << trusted;
  struct stat stat {};
  ASSERT_EQ(::stat((world.state() / "trusted/1").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_mode & 07777u, 0600u);
  const auto row = world.json_of({"hooks", "ls"})[0];
  EXPECT_EQ(keys_of(row), (std::vector<std::string>{"command", "event", "from", "may_run"}));
  EXPECT_EQ(row["from"], "repository");
  EXPECT_EQ(row["may_run"], true);
  EXPECT_EQ(world.wtpool({"hooks", "run", "post_acquire", "x"}).code, 0);
  EXPECT_EQ(ran(), "post\n");
  (void)world.acquire("y");
  EXPECT_EQ(ran(), "post\npost\n");
  EXPECT_EQ(world.json_of({"acquire", "x", "--reuse"}).contains("hooks"), false);
  EXPECT_EQ(ran(), "post\npost\n") << "a lease that is given back was set up already";

  World::Options there;
  there.directory = slot;
  EXPECT_EQ(world.wtpool({"hooks", "revoke"}, there).code, 0);
  (void)world.acquire("z");
  EXPECT_EQ(ran(), "post\npost\n");
}

TEST_F(Hooks, AnotherTextIsAnotherQuestion) {
  fs::create_directories(repo.path() / "scripts");
  repo.commit("scripts/setup.sh", "echo one >> $T/ran\n");
  repo.commit(".wtpool.yaml", "hooks:\n  post_acquire: sh scripts/setup.sh all\n");
  ASSERT_EQ(trust_in(world.acquire("a")).code, 0);
  (void)world.acquire("b");
  ASSERT_EQ(ran(), "one\n");
  forget();
  const std::pair<const char*, const char*> changes[] = {
      {"scripts/setup.sh", "echo one >> $T/ran \n"},
      {"scripts/setup.sh", "echo one >> $T/ran\r\n"},
      {".wtpool.yaml", "hooks:\n  post_acquire: sh scripts/setup.sh  all\n"}};
  for (const auto& [file, text] : changes) {
    const auto before = read_text(repo.path() / file);
    repo.commit(file, text);
    (void)world.acquire("x");
    EXPECT_EQ(ran(), "") << file << ": " << text;
    world.release("x");
    repo.commit(file, before);
  }
  fs::remove(repo.path() / "scripts/setup.sh");
  fs::create_symlink(world.dir() / "elsewhere.sh", repo.path() / "scripts/setup.sh");
  repo.git({"commit", "-qam", "a symlink in its place"});
  (void)world.acquire("y");
  EXPECT_EQ(ran(), "");
  EXPECT_EQ(trust_in(world.root() / "app/slot-2").code, 1) << "it cannot be approved either";
}

TEST_F(Hooks, ASymlinkInPlaceOfTheFileAndAProgramOutsideCannotBeApproved) {
  repo.commit(".wtpool.yaml", "hooks:\n  post_acquire: ../evil.sh\n");
  const auto outside = trust_in(world.acquire("a"));
  EXPECT_EQ(outside.code, 1) << outside;
  EXPECT_NE(outside.err.find("which is no file of the commit"), std::string::npos) << outside;
  fs::remove(repo.path() / ".wtpool.yaml");
  write_text(world.dir() / "theirs.yaml", kFile);
  fs::create_symlink(world.dir() / "theirs.yaml", repo.path() / ".wtpool.yaml");
  repo.git({"commit", "-qam", "a symlink"});
  const auto linked = trust_in(world.acquire("b"));
  EXPECT_EQ(linked.code, 1) << linked;
  EXPECT_NE(linked.err.find(".wtpool.yaml is no regular file of the commit"), std::string::npos) << linked;
  EXPECT_EQ(ran(), "");
}

TEST_F(Hooks, AProgramThatWasChangedInTheSlotIsNotRun) {
  repo.commit("setup.sh", "echo one >> $T/ran\n");
  repo.commit(".wtpool.yaml", "hooks:\n  pre_release: sh setup.sh\n");
  const auto slot = world.acquire("a");
  ASSERT_EQ(trust_in(slot).code, 0);
  write_text(slot / "setup.sh", "echo changed >> $T/ran\n");
  const auto outcome = world.wtpool({"release", "a"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("is not as the commit has it"), std::string::npos) << outcome;
  EXPECT_EQ(ran(), "");
}

TEST_F(Hooks, AScriptOfTheReferenceToolIsRunByBashWithItsVariables) {
  repo.commit(".wt-hooks.sh",
              "wt_post_acquire() {\n  [[ -n $BASH_VERSION ]] && echo \"$WT_KEY $WT_NAME $WT_PATH $WT_FRESH\" >> $T/ran\n}\n");
  ASSERT_EQ(trust_in(world.acquire("a")).code, 0);
  const auto slot = world.acquire("b");
  EXPECT_EQ(ran(), "app b " + slot.string() + " 1\n");
}

TEST_F(Hooks, GoRunsItsOwnAndDoesNotStartWhenItFails) {
  configure("hooks:\n  pre_go: echo go >> $T/ran; [ ! -e $T/stop ]\n");
  EXPECT_EQ(world.wtpool({"go", "x", "--keep", "--", "true"}).code, 0);
  EXPECT_EQ(ran(), "go\n");
  write_text(world.dir() / "stop", "");
  const auto outcome = world.wtpool({"go", "x", "--", "sh", "-c", "echo command >> $T/ran"});
  EXPECT_EQ(outcome.code, 125) << outcome;
  EXPECT_EQ(ran(), "go\ngo\n");
  EXPECT_EQ(world.state_of("slot-0"), "held") << "it was somebody's before";
}

TEST_F(Hooks, OneThatTakesTooLongIsEndedWithWhatItStarted) {
  world.stop_daemon();
  world.environment["XDG_CONFIG_HOME"] = (world.dir() / "config").string();
  fs::create_directories(world.dir() / "config/wtpool");
  write_text(world.dir() / "config/wtpool/wtpoold.yaml", "hook_timeout: 1s\n");
  world.start_daemon();
  configure("hooks:\n  post_acquire: sleep 300 & echo $! > $T/ran; wait\n");
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 16) << outcome;
  EXPECT_NE(outcome.err.find("took longer than hook_timeout, 1 s"), std::string::npos) << outcome;
  const auto left = static_cast<pid_t>(std::stol(ran()));
  EXPECT_TRUE(wait_until([left] { return ::kill(left, 0) != 0; }));
}

TEST_F(Hooks, WhatAHookLeavesRunningDoesNotHoldTheVerbUp) {
  configure("hooks:\n  post_acquire: sleep 300 &\n");
  World::Options soon;
  soon.deadline = 30s;
  EXPECT_EQ(world.wtpool({"acquire", "x"}, soon).code, 0);
}

TEST_F(Hooks, AFileThatCannotBeReadIsSaidAndLeftOut) {
  repo.commit(".wtpool.yaml", "hooks:\n  at_night: true\n");
  const auto outcome = world.wtpool({"acquire", "x"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find(".wtpool.yaml:2:3: unknown event 'at_night'"), std::string::npos) << outcome;
}

}  // namespace
}  // namespace wtpool::test
