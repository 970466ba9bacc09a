#include "daemon/git/files/index_repair.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <random>
#include <set>

#include "common/platform/clone_tree.hpp"
#include "daemon/git/files/checksum.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

std::string digits(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

class IndexRepairTest : public GitRoom {
 protected:
  // A slot with its tree, and a clone of it in a worktree whose index is still to be made.
  void make_slots() {
    (void)ready_slot("slot-0");
    (void)add_worktree(source(), slot_path("slot-1"), id("HEAD"), "wtpool test");
  }
  void age(const fs::path& file, int seconds = 100) {
    struct ::stat stat {};
    ASSERT_EQ(::lstat(file.c_str(), &stat), 0);
    const struct timespec times[2] = {stat.st_atim, {stat.st_mtim.tv_sec - seconds, stat.st_mtim.tv_nsec}};
    ::utimensat(AT_FDCWD, file.c_str(), times, AT_SYMLINK_NOFOLLOW);
  }
  // Every tracked file is older than the index, which git has written since.
  void settle() {
    for (const auto& each : fs::recursive_directory_iterator(slot_path("slot-0")))
      if (!each.is_directory() || each.is_symlink()) age(each.path());
    sh(slot_path("slot-0"), "git update-index --refresh -q; git status >/dev/null", true);
  }
  IndexRepair clone_and_repair() {
    (void)clone_tree(slot_path("slot-0"), slot_path("slot-1"), {.method = CloneMethod::copy});
    return repair();
  }
  IndexRepair repair() {
    return repair_index(fs::path(entry("slot-0")) / "index", slot_path("slot-0"), slot_path("slot-1"),
                        fs::path(entry("slot-1")) / "index");
  }
  std::string status_of_clone() { return sh(slot_path("slot-1"), "git status --porcelain"); }
  // Other content of the same size, and times as before.
  void change_unseen(const fs::path& file) {
    struct ::stat stat {};
    ASSERT_EQ(::stat(file.c_str(), &stat), 0);
    std::string text = read(file);
    for (char& byte : text) byte = byte == 'x' ? 'y' : 'x';
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << text;
    const struct timespec times[2] = {stat.st_atim, stat.st_mtim};
    ::utimensat(AT_FDCWD, file.c_str(), times, 0);
  }
};

}  // namespace

TEST(Checksum, IsWhatTheStandardSays) {
  EXPECT_EQ(digits(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(digits(sha1(std::string(1'000'000, 'a'))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  EXPECT_EQ(digits(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digits(sha256(std::string(1'000'000, 'a'))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(digits(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(IndexRepairTest, GitHashesNothingInACloneAndFindsItClean) {
  for (const char* version : {"2", "4"}) {
    for (const char* format : {"sha1", "sha256"}) {
      SCOPED_TRACE(std::string(version) + " " + format);
      make_source(std::string("--object-format=") + format);
      sh(source_dir,
         std::string("ln -s file link && printf '#!/bin/sh\\n' > run && chmod +x run && git add . && git commit -qm more && "
                     "git config index.version ") +
             version);
      make_slots();
      settle();
      sh(slot_path("slot-0"), std::string("git update-index --index-version ") + version + " && git status >/dev/null");
      settle();
      const IndexRepair repaired = clone_and_repair();
      EXPECT_EQ(repaired.proven, 4u);
      EXPECT_EQ(repaired.unknown, 0u);
      // With --no-optional-locks git may not write what it found, so it must have found everything as recorded.
      EXPECT_EQ(sh(slot_path("slot-1"), "git --no-optional-locks diff-files --name-only"), "");
      EXPECT_EQ(status_of_clone(), "");
      sh(slot_path("slot-1"), "git fsck --no-dangling >/dev/null && git diff-files --quiet");
      EXPECT_EQ(read(fs::path(entry("slot-1")) / "index").substr(7, 1)[0], version[0] - '0');
      fs::remove_all(source_dir);
      fs::remove_all(root / "pool");
    }
  }
}

TEST_F(IndexRepairTest, WhatChangedUnseenInTheOldTreeIsFoundInTheClone) {
  make_source();
  make_slots();
  settle();
  change_unseen(slot_path("slot-0") / "dir/inner");
  ASSERT_EQ(clone_and_repair().unknown, 1u);
  EXPECT_EQ(status_of_clone(), " M dir/inner");
}

TEST_F(IndexRepairTest, AnEntryAsYoungAsItsIndexIsHashedAgain) {
  make_source();
  make_slots();
  settle();
  const fs::path file = slot_path("slot-0") / "file";
  // As git leaves a file that is written in the moment of its index: the same stat, other content.
  struct ::stat stat {};
  ASSERT_EQ(::stat(file.c_str(), &stat), 0);
  const struct timespec same[2] = {stat.st_mtim, stat.st_mtim};
  ::utimensat(AT_FDCWD, (fs::path(entry("slot-0")) / "index").c_str(), same, 0);
  EXPECT_GE(clone_and_repair().unknown, 1u);
  EXPECT_EQ(status_of_clone(), "");
}

TEST_F(IndexRepairTest, HiddenEntriesAreShownAndMergesStay) {
  make_source();
  sh(source_dir, "echo two > second && git add . && git commit -qm second");
  make_slots();
  settle();
  sh(slot_path("slot-0"), "git update-index --assume-unchanged file && echo changed > file");
  EXPECT_EQ(clone_and_repair().unknown, 1u);
  EXPECT_EQ(status_of_clone(), " M file");
}

TEST_F(IndexRepairTest, IntentToAddKeepsItsFlagInVersionThree) {
  make_source();
  make_slots();
  sh(slot_path("slot-0"), "echo new > new && git add -N new");
  settle();
  ASSERT_EQ(read(fs::path(entry("slot-0")) / "index")[7], '\3');
  EXPECT_EQ(clone_and_repair().unknown, 1u);
  EXPECT_EQ(status_of_clone(), " A new");
}

TEST_F(IndexRepairTest, ExtensionsOfTheOldTreeAreLeftOut) {
  make_source();
  make_slots();
  settle();
  sh(slot_path("slot-0"), "git update-index --untracked-cache 2>/dev/null; git status >/dev/null; git status >/dev/null", true);
  settle();
  const std::string before = read(fs::path(entry("slot-0")) / "index");
  ASSERT_NE(before.find("UNTR"), std::string::npos);
  (void)clone_and_repair();
  const std::string after = read(fs::path(entry("slot-1")) / "index");
  EXPECT_EQ(after.find("UNTR"), std::string::npos);
  EXPECT_EQ(status_of_clone(), "");
}

TEST_F(IndexRepairTest, ASplitIndexIsNotRead) {
  make_source();
  make_slots();
  sh(slot_path("slot-0"), "git update-index --split-index");
  EXPECT_TRUE(clone_and_repair().foreign);
  EXPECT_FALSE(fs::exists(fs::path(entry("slot-1")) / "index"));
}

TEST_F(IndexRepairTest, ADamagedIndexAndALockThatIsThereAreErrors) {
  make_source();
  make_slots();
  const fs::path index = fs::path(entry("slot-0")) / "index";
  const std::string whole = read(index);
  write(fs::path(entry("slot-1")) / "index.lock", "");
  EXPECT_EQ(kind_of([&] { (void)repair(); }), ErrorKind::io_error);
  fs::remove(fs::path(entry("slot-1")) / "index.lock");
  // Cut anywhere, it is refused, and nothing is read beyond its end.
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    write(index, whole.substr(0, length));
    EXPECT_EQ(kind_of([&] { (void)repair(); }), ErrorKind::io_error) << length;
  }
}

TEST_F(IndexRepairTest, RandomHistoriesShowInACloneExactlyWhatChanged) {
  std::mt19937 random(8);
  make_source();
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 120; ++i) {
      const fs::path file = source_dir / ("d" + std::to_string(random() % 6)) / ("e" + std::to_string(random() % 3)) /
                            std::to_string(random() % 40);
      write(file, std::string(random() % 50 == 0 ? 0 : 1 + random() % 300, static_cast<char>('a' + random() % 20)));
      if (random() % 7 == 0) fs::permissions(file, fs::perms::owner_all);
    }
    sh(source_dir, "git add -A && git commit -qm round --allow-empty");
    make_slots();
    if (random() % 2 == 0) sh(slot_path("slot-0"), "git update-index --index-version 4");
    settle();
    std::set<std::string> changed;
    for (const auto& each : fs::recursive_directory_iterator(slot_path("slot-0"))) {
      if (!each.is_regular_file() || each.path().filename() == ".git" || each.file_size() == 0 || random() % 10 != 0) continue;
      change_unseen(each.path());
      changed.insert(fs::relative(each.path(), slot_path("slot-0")).string());
    }
    const IndexRepair repaired = clone_and_repair();
    EXPECT_GE(repaired.unknown, changed.size());
    EXPECT_GT(repaired.proven, 0u);
    std::set<std::string> shown;
    std::istringstream lines(
        sh(slot_path("slot-1"), "git update-index -q --refresh >/dev/null; git diff-index --name-only HEAD"));
    for (std::string line; std::getline(lines, line);) shown.insert(line);
    ASSERT_EQ(shown, changed) << "round " << round;
    EXPECT_EQ(sh(slot_path("slot-1"), "git status --porcelain | grep -v '^ M'", true), "");
    for (const auto* name : {"slot-0", "slot-1"})
      sh(source_dir,
         "git worktree unlock " + slot_path(name).string() + "; git worktree remove --force " + slot_path(name).string());
  }
}

}  // namespace wtpool::git
