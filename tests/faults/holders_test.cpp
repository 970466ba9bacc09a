// What a holder leaves behind, by the policies of the config: too much of it, too many files, files of another user.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Left : public ::testing::Test {
 protected:
  void serve(const std::string& policy = {}) {
    world.start_daemon();
    world.init(repo);
    const auto config = world.root() / "app/.meta/config.yaml";
    write_text(config, read_text(config) + policy);
    slot = world.acquire("x");
  }
  [[nodiscard]] std::string trash_id() const {
    const auto entries = world.json_of({"trash", "ls"});
    EXPECT_EQ(entries.size(), 1u) << entries;
    return entries.empty() ? "" : entries[0].value("id", "");
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(Left, MoreThanTheLimitIsMovedAside) {
  serve("save_limit_files: 2\nclean: untracked\n");
  write_text(slot / "README.md", "changed\n");
  for (const auto* name : {"one.txt", "two.txt", "deep/three.txt"}) write_text(slot / name, std::string("text of ") + name);
  world.release("x");
  const auto id = trash_id();
  EXPECT_EQ(read_text(world.root() / "app/.meta/trash" / id / "deep/three.txt"), "text of deep/three.txt");
  EXPECT_FALSE(fs::exists(slot / "one.txt"));
  const auto restored = world.wtpool({"trash", "restore", id});
  EXPECT_EQ(restored.code, 0) << restored;
  EXPECT_EQ(read_text(world.root() / "app/.meta/trash" / id / "one.txt"), "text of one.txt") << "kept until it is dropped";
}

TEST_F(Left, UntrackedFilesGoWithCleanUntrackedAndAreKept) {
  serve("clean: untracked\n");
  write_text(slot / "new.txt", "new\n");
  write_text(slot / "cache.o", "ignored\n");
  world.release("x");
  EXPECT_FALSE(fs::exists(slot / "new.txt"));
  EXPECT_EQ(read_text(slot / "cache.o"), "ignored\n");
  EXPECT_EQ(repo.git({"show", "refs/wtpool/trash/" + trash_id() + "/work^3:new.txt"}), "new");
}

TEST_F(Left, IgnoredFilesGoWithCleanIgnored) {
  serve("clean: ignored\n");
  write_text(slot / "new.txt", "new\n");
  write_text(slot / "build/cache.o", "ignored\n");
  world.release("x");
  EXPECT_FALSE(fs::exists(slot / "new.txt"));
  EXPECT_FALSE(fs::exists(slot / "build"));
  EXPECT_EQ(repo.git({"show", "refs/wtpool/trash/" + trash_id() + "/work^3:new.txt"}), "new");
}

TEST_F(Left, TwentyThousandUntrackedFilesStayWhereTheyAre) {
  serve();
  constexpr int kFiles = 20'000;
  for (int number = 0; number < kFiles; ++number) {
    const auto folder = slot / ("many/" + std::to_string(number % 100));
    if (number < 100) fs::create_directories(folder);
    std::FILE* file = std::fopen((folder / std::to_string(number)).c_str(), "we");
    ASSERT_NE(file, nullptr);
    std::fclose(file);
  }
  world.release("x");
  EXPECT_TRUE(repo.trash_refs().empty());
  const auto next = world.wtpool({"acquire", "y"});
  EXPECT_EQ(trimmed(next.out), slot.string()) << next;
  EXPECT_NE(next.err.find("20000 untracked files"), std::string::npos) << next;
  EXPECT_EQ(world.wtpool({"release", "y", "--refuse-dirty"}).code, 0) << "what an earlier holder left is nobody's dirt";
}

TEST_F(Left, WorkInTheTrashOutlivesGarbageCollection) {
  serve();
  const auto tip = Repo(slot).commit("work.txt", "work\n");
  git(slot, {"switch", "-q", "--detach"});
  const auto detached = Repo(slot).commit("detached.txt", "detached\n");
  write_text(slot / "README.md", "dirt\n");
  world.release("x");
  repo.git({"reflog", "expire", "--expire=now", "--all"});
  repo.git({"gc", "-q", "--prune=now"});
  for (const auto& commit : {tip, detached}) EXPECT_EQ(repo.try_git({"cat-file", "-e", commit}).code, 0) << commit;
  EXPECT_EQ(repo.git({"show", "refs/wtpool/trash/" + trash_id() + "/work:README.md"}), "dirt");
  EXPECT_EQ(world.acquire("y"), slot);
}

// A container's root wrote into the slot of an ordinary user.
class LeftByAnother : public ::testing::Test {
 protected:
  static constexpr uid_t kUser = 54321;
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "only root can be two users";
  }
  // Everything of this world is the user's, and the daemon and its client run as he.
  void serve_as_user() {
    for (const auto& entry : fs::recursive_directory_iterator(world.dir()))
      ASSERT_EQ(::lchown(entry.path().c_str(), kUser, kUser), 0);
    ASSERT_EQ(::lchown(world.dir().c_str(), kUser, kUser), 0);
    world.daemon_prefix = as_user();
    world.start_daemon();
    ASSERT_EQ(wtpool({"init", "--source", repo.path().string()}).code, 0);
    slot = trimmed(wtpool({"acquire", "x"}).out);
    ASSERT_TRUE(fs::exists(slot / "README.md"));
  }
  [[nodiscard]] static std::vector<std::string> as_user() {
    const auto id = std::to_string(kUser);
    return {"setpriv", "--reuid", id, "--regid", id, "--clear-groups"};
  }
  [[nodiscard]] Outcome wtpool(const std::vector<std::string>& arguments) const {
    auto argv = as_user();
    argv.push_back(std::string(WTPOOL_BIN_DIR) + "/wtpool");
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run({.argv = argv, .environment = world.environment, .directory = world.dir()});
  }
  [[nodiscard]] json slot_0() const { return json::parse(wtpool({"--json", "ls"}).out)[0]; }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(LeftByAnother, TrackedFilesInTheWayQuarantineTheSlotWithTheCommandThatHelps) {
  serve_as_user();
  write_text(slot / "src/main.c", "written by root\n");
  for (const auto& path : {slot / "src", slot / "src/main.c"}) {
    ASSERT_EQ(::lchown(path.c_str(), 0, 0), 0);
    ::chmod(path.c_str(), fs::is_directory(path) ? 0755 : 0644);
  }
  (void)wtpool({"release", "x", "--wait"});
  ASSERT_TRUE(wait_until([&] { return slot_0()["state"] == "quarantined"; })) << slot_0();
  EXPECT_NE(slot_0()["reason"].get<std::string>().find("chown"), std::string::npos) << slot_0();
  EXPECT_EQ(read_text(slot / "src/main.c"), "written by root\n");
  const auto next = wtpool({"acquire", "y"});
  EXPECT_EQ(next.code, 0) << "other slots go on: " << next;

  for (const auto& path : {slot / "src", slot / "src/main.c"}) ASSERT_EQ(::lchown(path.c_str(), kUser, kUser), 0);
  const auto repaired = wtpool({"repair", "slot-0"});
  EXPECT_EQ(repaired.code, 0) << repaired;
  EXPECT_TRUE(wait_until([&] { return slot_0()["state"] == "idle"; })) << slot_0();
}

TEST_F(LeftByAnother, UntrackedFilesAreLeftAlone) {
  serve_as_user();
  write_text(slot / "build/of-root.o", "of root\n");
  for (const auto& path : {slot / "build", slot / "build/of-root.o"}) ASSERT_EQ(::lchown(path.c_str(), 0, 0), 0);
  const auto released = wtpool({"release", "x", "--wait"});
  EXPECT_EQ(released.code, 0) << released;
  EXPECT_EQ(slot_0()["state"], "idle");
  EXPECT_EQ(read_text(slot / "build/of-root.o"), "of root\n");
  EXPECT_EQ(trimmed(wtpool({"acquire", "y"}).out), slot.string());
}

TEST_F(LeftByAnother, ReadOnlyDirectoriesOfTheUsersOwnAreCleaned) {
  serve_as_user();
  const auto config = world.root() / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "clean: untracked\n");
  world.stop_daemon();
  world.start_daemon();
  write_text(slot / "cache/mod/deep/file", "of a tool\n");
  write_text(slot / "src/new", "beside tracked files\n");
  for (const auto* path : {"cache/mod/deep/file", "cache/mod/deep", "cache/mod", "cache", "src/new", "src"}) {
    ASSERT_EQ(::lchown((slot / path).c_str(), kUser, kUser), 0);
    ASSERT_EQ(::chmod((slot / path).c_str(), fs::is_directory(slot / path) ? 0555 : 0444), 0);
  }
  const auto released = wtpool({"release", "x", "--wait"});
  EXPECT_EQ(released.code, 0) << released;
  EXPECT_EQ(slot_0()["state"], "idle") << slot_0();
  EXPECT_FALSE(fs::exists(slot / "cache"));
  EXPECT_FALSE(fs::exists(slot / "src/new"));
  for (const auto& path : {repo.path(), repo.path() / ".git"}) ASSERT_EQ(::lchown(path.c_str(), 0, 0), 0);
  ASSERT_EQ(repo.trash_refs().size(), 1u);
  EXPECT_EQ(repo.git({"show", repo.trash_refs().front() + "^3:cache/mod/deep/file"}), "of a tool");
}

TEST_F(LeftByAnother, ADaemonOfRootIsNotHinderedByThem) {
  world.start_daemon();
  world.init(repo);
  slot = world.acquire("x");
  write_text(slot / "README.md", "changed\n");
  for (const auto& path : {slot / "README.md", slot / "src", slot / "src/main.c"})
    ASSERT_EQ(::lchown(path.c_str(), kUser, kUser), 0);
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
  EXPECT_EQ(world.acquire("y"), slot);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

}  // namespace
}  // namespace wtpool::test
