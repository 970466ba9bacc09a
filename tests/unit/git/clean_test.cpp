// Read-only directories, and what of them is made writable.
#include "daemon/git/tree/clean.hpp"

#include <sys/stat.h>

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class Clean : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    git.emplace(ready_slot());
  }
  void TearDown() override {
    sh(root, "chmod -R u+rwx .", true);
    GitRoom::TearDown();
  }
  void mode(const std::string& path, mode_t mode) const { ASSERT_EQ(::chmod((slot_path() / path).c_str(), mode), 0) << path; }
  [[nodiscard]] mode_t mode_of(const fs::path& path) const {
    struct ::stat stat {};
    EXPECT_EQ(::lstat(path.c_str(), &stat), 0) << path;
    return stat.st_mode & 07777;
  }
  std::optional<Git> git;
};

TEST_F(Clean, OwnReadOnlyDirectoriesBelowAPathBecomeWritable) {
  write(slot_path() / "cache/mod/deep/file", "f");
  write(slot_path() / "other/file", "o");
  for (const char* path : {"cache/mod/deep/file", "cache/mod/deep", "cache/mod", "cache", "other"}) mode(path, 0555);
  make_writable(slot_path(), {"cache/"});
  for (const char* path : {"cache", "cache/mod", "cache/mod/deep"}) EXPECT_EQ(mode_of(slot_path() / path), 0755U) << path;
  EXPECT_EQ(mode_of(slot_path() / "cache/mod/deep/file"), 0555U);
  EXPECT_EQ(mode_of(slot_path() / "other"), 0555U);
}

TEST_F(Clean, DirectoriesThatLeadToAFileBecomeWritable) {
  write(slot_path() / "dir/new", "n");
  write(slot_path() / "dir/deep/new", "n");
  mode("dir/deep", 0555);
  mode("dir", 0555);
  make_writable(slot_path(), {"dir/new"});
  EXPECT_EQ(mode_of(slot_path() / "dir"), 0755U);
  EXPECT_EQ(mode_of(slot_path() / "dir/deep"), 0555U);
}

TEST_F(Clean, WhatNobodyCouldReadStaysAsItIs) {
  write(slot_path() / "closed/file", "f");
  for (const mode_t closed : {0000U, 0111U, 0444U}) {
    mode("closed", closed);
    make_writable(slot_path(), {"closed/"});
    EXPECT_EQ(mode_of(slot_path() / "closed"), closed);
  }
}

TEST_F(Clean, NoSymlinkIsFollowedAndNoRepositoryEntered) {
  write(root / "elsewhere/file", "e");
  fs::create_directory_symlink(root / "elsewhere", slot_path() / "link");
  fs::create_directories(slot_path() / "cache");
  fs::create_directory_symlink(root / "elsewhere", slot_path() / "cache/link");
  write(slot_path() / "nested/.git/HEAD", "ref: refs/heads/main\n");
  mode("nested", 0555);
  ASSERT_EQ(::chmod((root / "elsewhere").c_str(), 0555), 0);
  make_writable(slot_path(), {"link/", "link/file", "cache/", "nested/", "../elsewhere/", "gone/"});
  EXPECT_EQ(mode_of(root / "elsewhere"), 0555U);
  EXPECT_EQ(mode_of(slot_path() / "nested"), 0555U);
}

TEST_F(Clean, TakesWhatIsNotTrackedAndWhatIsIgnoredIfAskedTo) {
  write(slot_path() / "file", "one\n");
  write(common + "/info/exclude", "*.o\n");
  write(slot_path() / "new/file", "n");
  write(slot_path() / "a.o", "o");
  clean(*git, false);
  EXPECT_FALSE(fs::exists(slot_path() / "new"));
  EXPECT_TRUE(fs::exists(slot_path() / "a.o"));
  clean(*git, true);
  EXPECT_FALSE(fs::exists(slot_path() / "a.o"));
  EXPECT_TRUE(fs::exists(slot_path() / "file"));
}

}  // namespace
}  // namespace wtpool::git
