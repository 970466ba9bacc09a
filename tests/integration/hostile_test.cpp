// Repositories that want to run something in the daemon's name. Whatever would run writes a line into one file.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Hostile : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text(trap(), "#!/bin/sh\necho \"$0 $*\" >>'" + log().string() + "'\ncat\n");
    fs::permissions(trap(), fs::perms::owner_all);
    world.start_daemon();
  }
  [[nodiscard]] fs::path trap() const { return world.dir() / "trap"; }
  [[nodiscard]] fs::path log() const { return world.dir() / "it-ran"; }
  // One whole life of a lease, with dirt and with another commit.
  void live(const std::string& name) {
    const auto slot = world.acquire(name);
    if (slot.empty()) return;
    write_text(slot / "README.md", "dirt of " + name + "\n");
    write_text(slot / "data.bin", "new of " + name + "\n");
    fs::last_write_time(slot / "src/main.c", fs::file_time_type::clock::now());
    (void)world.json_of({"ls", "--git-status"});
    world.release(name);
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Hostile, NoHookRuns) {
  for (const auto* hook :
       {"post-checkout", "post-commit", "pre-commit", "reference-transaction", "post-index-change", "pre-push", "post-merge",
        "post-rewrite", "pre-auto-gc", "fsmonitor-watchman", "sendemail-validate"}) {
    fs::copy_file(trap(), repo.path() / ".git/hooks" / hook, fs::copy_options::overwrite_existing);
  }
  world.init(repo);
  live("a");
  live("b");
  EXPECT_EQ(read_text(log()), "");
}

constexpr const char* kPipes[] = {".gitattributes", ".gitignore", ".gitmodules", "src/.gitattributes", "src/.gitignore"};

void lay_pipes(const fs::path& slot) {
  for (const auto* name : kPipes) {
    fs::remove(slot / name);
    ASSERT_EQ(::mkfifo((slot / name).c_str(), 0644), 0) << name;
  }
}

TEST_F(Hostile, NoPipeHoldsUpWhoLooksOrReleasesOrComesNext) {
  const World::Options soon{.deadline = 20s};
  world.init(repo, {"--max-slots", "1"});
  const auto slot = world.acquire("a");
  write_text(slot / "README.md", "work\n");
  lay_pipes(slot);
  EXPECT_EQ(world.wtpool({"ls", "--git-status"}, soon).code, 0);
  EXPECT_NE(world.wtpool({"release", "a", "--refuse-dirty"}, soon).code, 0);
  const auto released = world.wtpool({"release", "a", "--wait"}, soon);
  EXPECT_EQ(released.code, 0) << released;
  ASSERT_EQ(repo.trash_refs().size(), 1u);
  EXPECT_EQ(repo.git({"show", repo.trash_refs().front() + ":README.md"}), "work");
  repo.commit("src/main.c", "int main() {}\n");
  EXPECT_EQ(world.wtpool({"acquire", "b"}, soon).code, 0);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Hostile, NoPipeWhereADirectoryWasDeletedHoldsUpARelease) {
  world.init(repo, {"--max-slots", "1"});
  const auto slot = world.acquire("a");
  git(slot, {"rm", "-q", "-r", "src"});
  fs::create_directories(slot / "src");
  ASSERT_EQ(::mkfifo((slot / "src/.gitattributes").c_str(), 0644), 0);
  const auto released = world.wtpool({"release", "a", "--wait"}, {.deadline = 20s});
  EXPECT_EQ(released.code, 0) << released;
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Hostile, NoPipeInAnIdleSlotHoldsUpAnAcquire) {
  const World::Options soon{.deadline = 20s};
  world.init(repo, {"--max-slots", "1"});
  int number = 0;
  for (const bool sealed : {true, false}) {
    const auto slot = world.acquire("a");
    world.release("a");
    if (sealed && !wait_until([&] { return world.slot("slot-0")["sealed"] == true; })) continue;
    lay_pipes(slot);
    repo.commit("src/main.c", "// " + std::to_string(++number) + "\n");
    const auto outcome = world.wtpool({"acquire", "b"}, soon);
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    world.release("b");
  }
}

TEST_F(Hostile, NoPipeWhereTheNextCommitHasFilesHoldsUpAnAcquire) {
  const World::Options soon{.deadline = 20s};
  world.init(repo, {"--max-slots", "1"});
  const auto slot = world.acquire("a");
  fs::create_directories(slot / "new");
  world.release("a");
  ASSERT_EQ(::mkfifo((slot / "new/.gitattributes").c_str(), 0644), 0);
  repo.commit("new/file.c", "int x;\n");
  const auto outcome = world.wtpool({"acquire", "b"}, soon);
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(read_text(slot / "new/file.c"), "int x;\n");
}

TEST_F(Hostile, NoHookOfAConfiguredDirectoryRuns) {
  fs::create_directories(world.dir() / "hooks");
  for (const auto* hook : {"post-checkout", "reference-transaction", "post-index-change"})
    fs::copy_file(trap(), world.dir() / "hooks" / hook);
  repo.git({"config", "core.hooksPath", (world.dir() / "hooks").string()});
  world.init(repo);
  live("a");
  live("b");
  EXPECT_EQ(read_text(log()), "");
}

TEST_F(Hostile, NoProgramOfTheConfigRuns) {
  for (const auto* key :
       {"core.fsmonitor", "core.editor", "core.pager", "core.sshCommand", "core.askPass", "diff.external", "gpg.program",
        "credential.helper", "core.alternateRefsCommand", "uploadpack.packObjectsHook", "sequence.editor"}) {
    repo.git({"config", key, trap().string()});
  }
  repo.git({"config", "alias.status", "!" + trap().string()});
  repo.git({"config", "commit.gpgSign", "true"});
  repo.git({"config", "tag.gpgSign", "true"});
  world.init(repo);
  live("a");
  live("b");
  EXPECT_EQ(read_text(log()), "");
}

TEST_F(Hostile, NoFilterRunsThatThePoolDoesNotAllow) {
  repo.commit(".gitattributes", "*.bin filter=evil diff=evil merge=evil\nREADME.md filter=worse\n");
  repo.commit("data.bin", "data\n");
  for (const auto* key : {"filter.evil.clean", "filter.evil.smudge", "filter.worse.process", "diff.evil.textconv",
                          "diff.evil.command", "merge.evil.driver"}) {
    repo.git({"config", key, trap().string()});
  }
  repo.git({"config", "filter.evil.required", "true"});
  world.init(repo);
  const auto first = world.wtpool({"acquire", "a"});
  if (first.code == 0) {
    world.release("a");
    live("b");
    live("c");
  }
  EXPECT_EQ(read_text(log()), "") << first;
}

TEST_F(Hostile, LfsRunsUnlessThePoolSaysOtherwise) {
  repo.commit(".gitattributes", "*.bin filter=lfs\n");
  repo.commit("data.bin", "pointer\n");
  repo.git({"config", "filter.lfs.smudge", "sed s/pointer/content/"});
  repo.git({"config", "filter.lfs.clean", "sed s/content/pointer/"});
  repo.git({"config", "filter.lfs.required", "true"});
  world.init(repo);
  const auto slot = world.acquire("a");
  EXPECT_EQ(read_text(slot / "data.bin"), "content\n");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  world.release("a");
  EXPECT_EQ(world.json_of({"trash", "ls"}).size(), 0u);
  const auto config = world.root() / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "filters: []\n");
  world.acquire("b");
  const auto other = world.acquire("c");
  EXPECT_EQ(read_text(other / "data.bin"), "pointer\n");
}

TEST_F(Hostile, AFilterThatMayNotRunIsNamedWhereFilesAskForIt) {
  repo.git({"config", "filter.enc.smudge", trap().string()});
  repo.git({"config", "filter.unused.smudge", trap().string()});
  repo.commit("lib/.gitattributes", "# filter=unused\n*.sec\tfilter=enc\n");
  repo.commit("lib/a.sec", "stored\n");
  world.init(repo, {"--max-slots", "3"});
  const auto first = world.wtpool({"acquire", "a"});
  EXPECT_EQ(first.code, 0) << first;
  EXPECT_NE(first.err.find("filter 'enc'"), std::string::npos) << first;
  EXPECT_EQ(first.err.find("unused"), std::string::npos) << first;
  EXPECT_NE(world.wtpool({"doctor"}).out.find("filter 'enc'"), std::string::npos);
  const auto config = world.root() / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "filters: []\n");
  EXPECT_EQ(world.wtpool({"acquire", "b"}).err.find("filter"), std::string::npos) << "the pool has said so";
  EXPECT_EQ(world.wtpool({"doctor"}).out.find("filter"), std::string::npos);
  EXPECT_EQ(read_text(log()), "");
}

TEST_F(Hostile, AFilterThatFailsIsNoFaultOfTheSlot) {
  world.init(repo, {"--max-slots", "1"});
  world.acquire("warm");
  world.release("warm");
  repo.commit(".gitattributes", "*.bin filter=lfs\n");
  repo.commit("data.bin", "pointer\n");
  const auto configure = [&](const std::string& command) {
    repo.git({"config", "filter.lfs.process", command + " filter-process"});
    repo.git({"config", "filter.lfs.smudge", command + " smudge"});
    repo.git({"config", "filter.lfs.clean", command + " clean"});
    repo.git({"config", "filter.lfs.required", "true"});
  };
  configure("no-such-lfs");
  for (int time = 0; time < 4; ++time) {
    const auto outcome = world.wtpool({"acquire", "x", "--commit", "main"});
    EXPECT_EQ(outcome.code, 1) << outcome;
    EXPECT_NE(outcome.err.find("no-such-lfs"), std::string::npos) << outcome;
    EXPECT_NE(outcome.err.find("config --show-origin"), std::string::npos) << outcome;
    EXPECT_NE(world.state_of("slot-0"), "quarantined") << time;
  }
  repo.git({"config", "--remove-section", "filter.lfs"});
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(world.acquire("x", {"--commit", "main"}).empty());
  EXPECT_FALSE(repo.has_branch("warm"));
}

TEST_F(Hostile, AFilterThatThePoolAllowsRuns) {
  repo.commit(".gitattributes", "*.bin filter=good\n");
  repo.commit("data.bin", "data\n");
  repo.git({"config", "filter.good.smudge", trap().string()});
  repo.git({"config", "filter.good.clean", "cat"});
  world.init(repo);
  const auto config = world.root() / "app/.meta/config.yaml";
  auto text = read_text(config);
  const auto at = text.find("filters:");
  if (at != std::string::npos) text.erase(at, text.find('\n', at) - at + 1);
  write_text(config, text + "filters: [good]\n");
  const auto slot = world.acquire("a");
  EXPECT_EQ(read_text(slot / "data.bin"), "data\n");
  EXPECT_NE(read_text(log()), "");
}

TEST_F(Hostile, ConfigOfTheSlotDoesNotOutliveItsHolder) {
  repo.git({"config", "extensions.worktreeConfig", "true"});
  world.init(repo);
  const auto slot = world.acquire("a");
  git(slot, {"config", "--worktree", "core.fsmonitor", trap().string()});
  git(slot, {"config", "--worktree", "core.worktree", (world.dir() / "home").string()});
  world.release("a");
  EXPECT_EQ(read_text(log()), "");
  world.acquire("b");
  EXPECT_EQ(try_git(slot, {"config", "--worktree", "--get", "core.fsmonitor"}).code, 1);
  EXPECT_EQ(read_text(slot / "README.md"), "A repository.\n");
  EXPECT_TRUE(fs::is_empty(world.home()));
}

TEST_F(Hostile, GitVariablesOfTheDaemonsStarterAreNotPassedOn) {
  world.stop_daemon();
  world.environment["GIT_DIR"] = (world.dir() / "nowhere").string();
  world.environment["GIT_WORK_TREE"] = world.home().string();
  world.environment["GIT_SSH_COMMAND"] = trap().string();
  world.environment["GIT_EXTERNAL_DIFF"] = trap().string();
  world.environment["GIT_TEMPLATE_DIR"] = world.dir().string();
  world.start_daemon();
  world.init(repo);
  live("a");
  EXPECT_EQ(read_text(log()), "");
}

TEST_F(Hostile, AnExtTransportIsNotFollowed) {
  repo.git({"remote", "add", "origin", "ext::" + trap().string()});
  world.init(repo);
  const auto outcome = world.wtpool({"acquire", "a", "--commit", std::string(40, 'a')});
  EXPECT_NE(outcome.code, 0);
  EXPECT_EQ(read_text(log()), "");
}

}  // namespace
}  // namespace wtpool::test
