// An acquire that is called off while the tree goes from one commit to another leaves the slot as it was.
#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

constexpr int kNewFiles = 150;  // so many that git is asked to bring the whole tree

class CancelledAcquire : public ::testing::Test {
 protected:
  void SetUp() override {
    world.environment["XDG_CONFIG_HOME"] = (world.dir() / "config").string();
    write_text(world.dir() / "config/wtpool/wtpoold.yaml", "seal: false\n");
    repo.git({"switch", "-q", "-c", "other"});
    for (int i = 0; i < kNewFiles; ++i) write_text(repo.path() / "new" / std::to_string(i), "file " + std::to_string(i) + "\n");
    fs::create_symlink("0", repo.path() / "new/link");
    write_text(repo.path() / "src/main.c", "int main() { return 1; }\n");
    repo.git({"add", "."});
    other = repo.commit("new/last", "last\n");
    repo.git({"switch", "-q", "main"});
    make_shim();
    world.start_daemon();
    world.init(repo);
    world.acquire("before");
    world.release("before");
    write_text(slot / "cache.txt", "took an hour to make\n");
  }
  // Once, a git that is to bring the tree comes as far as the files of the other commit but not to its index, and stays there.
  void make_shim() {
    const auto path = world.environment["PATH"];
    const auto shim = world.dir() / "shim/git";
    write_text(shim, "#!/bin/sh\nPATH='" + path + "'\ncase \" $* \" in *' read-tree '*|*' switch '*)\n  if rm '" +
                         armed().string() + "' 2>/dev/null; then\n    git -C '" + repo.path().string() +
                         "' archive other new src | tar -x -C '" + slot.string() + "'\n    printf 'fil' > '" +
                         (slot / "new/7").string() + "'\n    : > '" + held().string() +
                         "'\n    exec sleep 1000\n  fi;;\nesac\nexec git \"$@\"\n");
    fs::permissions(shim, fs::perms::owner_all);
    world.environment["PATH"] = shim.parent_path().string() + ":" + path;
  }
  void call_off(const std::vector<std::string>& arguments) {
    write_text(armed(), "");
    auto client = world.start_wtpool(arguments);
    ASSERT_TRUE(wait_until([&] { return fs::exists(held()); })) << client.err_so_far();
    client.signal(SIGINT);
    EXPECT_NE(client.wait().code, 0);
    ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  }
  void expect_slot_as_it_was() const {
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "?? cache.txt");
    EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.git({"rev-parse", "main"}));
    EXPECT_EQ(read_text(slot / "cache.txt"), "took an hour to make\n");
    EXPECT_FALSE(fs::exists(marker_of(slot)));
    EXPECT_EQ(repo.complaint(), "");
  }
  [[nodiscard]] fs::path armed() const { return world.dir() / "armed"; }
  [[nodiscard]] fs::path held() const { return world.dir() / "held"; }
  World world;
  Repo repo = world.make_repo();
  fs::path slot = world.root() / "app/slot-0";
  std::string other;
};

TEST_F(CancelledAcquire, LeavesNoFilesOfItsCommit) {
  call_off({"acquire", "x", "--commit", other});
  expect_slot_as_it_was();
  EXPECT_FALSE(repo.has_branch("x"));
  EXPECT_TRUE(world.json_of({"trash", "ls"}).empty()) << "what git had begun is nobody's";
  EXPECT_EQ(world.acquire("x", {"--commit", other}), slot);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "?? cache.txt");
}

TEST_F(CancelledAcquire, ThatWasToResumeABranchLeavesNoFilesOfItEither) {
  call_off({"acquire", "other", "--resume"});
  expect_slot_as_it_was();
  EXPECT_EQ(repo.git({"rev-parse", "other"}), other);
}

TEST_F(CancelledAcquire, KeepsWhatSomebodyWroteMeanwhile) {
  write_text(armed(), "");
  auto client = world.start_wtpool({"acquire", "x", "--commit", other});
  ASSERT_TRUE(wait_until([&] { return fs::exists(held()); })) << client.err_so_far();
  write_text(slot / "new/3", "written meanwhile, where the commit has a file\n");
  write_text(slot / "README.md", "written meanwhile\n");
  client.signal(SIGINT);
  EXPECT_NE(client.wait().code, 0);
  ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  expect_slot_as_it_was();
  std::set<std::string> kept;
  for (const auto& entry : fs::recursive_directory_iterator(world.root() / "app/.meta/trash"))
    if (entry.is_regular_file()) kept.insert(read_text(entry.path()));
  EXPECT_TRUE(kept.contains("written meanwhile, where the commit has a file\n"));
  EXPECT_TRUE(kept.contains("written meanwhile\n"));
}

TEST_F(CancelledAcquire, KeepsWhatSomebodyPutWhereItsCommitHasAFile) {
  write_text(slot / "new/7", "mine\n");
  call_off({"acquire", "x", "--commit", other});
  expect_slot_as_it_was();
  // Like other work: behind a ref.
  const auto mine = repo.git({"hash-object", "--stdin"}, "mine\n");
  EXPECT_NE(repo.git({"rev-list", "--objects", "--glob=refs/wtpool/trash/*"}).find(mine), std::string::npos);
}

}  // namespace
}  // namespace wtpool::test
