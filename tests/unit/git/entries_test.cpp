#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using Entries = GitRoom;
using State = core::SlotFacts::Entry;
using DirectoryState = core::SlotFacts::Directory;

TEST_F(Entries, AreListedWithWhereTheyLead) {
  make_source();
  EXPECT_TRUE(list_entries(common).empty());
  ready_slot("b-0");
  ready_slot("a-0");
  const std::vector<Entry> entries = list_entries(common);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].git_id, "a-0");
  EXPECT_EQ(entries[0].state, State::sound) << entries[0].problem;
  EXPECT_EQ(entries[0].worktree, slot_path("a-0").string());
  EXPECT_EQ(entry_names(common), (std::vector<std::string>{"a-0", "b-0"}));
  EXPECT_EQ(read(entry("a-0") + "/locked"), "wtpool test\n");
}

TEST_F(Entries, TornAtAnyFileAreSeenAndMovedAsideMakesTheSourceUsableAgain) {
  make_source();
  for (const char* file : {"commondir", "gitdir", "HEAD"}) {
    for (const int how : {0, 1, 2}) {
      ready_slot();
      if (how == 0) fs::remove(entry() + "/" + file);
      if (how == 1) write(entry() + "/" + file, "");
      if (how == 2) write(entry() + "/" + file, std::string(41, '\0'));
      const std::vector<Entry> entries = list_entries(common);
      ASSERT_EQ(entries.size(), 1u);
      EXPECT_EQ(entries[0].state, State::torn) << file << how;
      EXPECT_NE(entries[0].problem.find(file), std::string::npos);
      EXPECT_TRUE(disproof_of_place(common, "slot-0", slot_path()));
      const fs::path moved = move_entry_aside(common, "slot-0");
      EXPECT_TRUE(fs::is_directory(moved));
      EXPECT_EQ(moved.parent_path(), fs::path(common) / "wtpool/aside");
      EXPECT_FALSE(fs::exists(entry()));
      sh(source_dir, "git worktree list && git fsck && git branch");
      fs::remove_all(slot_path());
    }
  }
}

// What permission keeps from being read is unknown, for root too: he looks with another's eyes.
TEST_F(Entries, ThatCannotBeReadAreForeignAndNotTorn) {
  make_source();
  ready_slot();
  ready_slot("slot-1");
  sh(root, "chmod -R go+rX .");
  for (const char* file : {"commondir", "gitdir", "HEAD"}) {
    const fs::path kept = entry() + "/" + file;
    const auto mode = fs::status(kept).permissions();
    fs::permissions(kept, fs::perms::none);
    const bool is_root = ::geteuid() == 0;
    ASSERT_TRUE(!is_root || ::seteuid(65534) == 0);
    const auto entries = list_entries(common);
    ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
    fs::permissions(kept, mode);
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].state, State::foreign) << file;
    EXPECT_TRUE(entries[0].unread);
    EXPECT_NE(entries[0].problem.find("Permission denied"), std::string::npos) << entries[0].problem;
    EXPECT_EQ(entries[1].state, State::sound) << "the others are known";
  }
  fs::remove(entry() + "/gitdir");
  fs::create_directory(entry() + "/gitdir");
  EXPECT_EQ(list_entries(common)[0].state, State::torn) << "that is no file of git's";
}

TEST_F(Entries, ThatLeadToAnotherRepositoryAreForeign) {
  make_source();
  ready_slot();
  sh(root, "git init -q other");
  write(entry() + "/commondir", (root / "other/.git").string() + "\n");
  EXPECT_EQ(list_entries(common)[0].state, State::foreign);
  EXPECT_TRUE(disproof_of_place(common, "slot-0", slot_path()));
}

TEST_F(Entries, ProveTheirPlaceInBothDirections) {
  make_source();
  ready_slot("slot-0");
  ready_slot("slot-1");
  EXPECT_EQ(disproof_of_place(common, "slot-0", slot_path("slot-0")), std::nullopt);
  EXPECT_TRUE(disproof_of_place(common, "slot-1", slot_path("slot-0")));
  EXPECT_TRUE(disproof_of_place(common, "../slot-0", slot_path("slot-0")));
  EXPECT_TRUE(disproof_of_place(common, "", slot_path("slot-0")));
  write(entry("slot-0") + "/gitdir", slot_path("slot-1").string() + "/.git\n");
  EXPECT_TRUE(disproof_of_place(common, "slot-0", slot_path("slot-0")));
}

TEST_F(Entries, AreProvenThroughASymlinkedPoolRootButNotThroughASymlinkedSlot) {
  make_source();
  ready_slot();
  fs::create_directory_symlink(root / "pool", root / "link");
  EXPECT_EQ(disproof_of_place(common, "slot-0", root / "link/slot-0"), std::nullopt);
  fs::create_directory_symlink(slot_path(), root / "pool/alias");
  EXPECT_TRUE(disproof_of_place(common, "slot-0", root / "pool/alias"));
  fs::rename(entry(), root / "stolen");
  fs::create_directory_symlink(root / "stolen", entry());
  EXPECT_TRUE(disproof_of_place(common, "slot-0", slot_path()));
}

TEST_F(Entries, DirectoriesAreJudgedByTheirGitFile) {
  make_source();
  ready_slot();
  EXPECT_EQ(look_at_directory(common, root / "nowhere").state, DirectoryState::absent);
  EXPECT_EQ(look_at_directory(common, root / "nowhere/deeper").state, DirectoryState::absent);
  const DirectoryFacts sound = look_at_directory(common, slot_path());
  EXPECT_EQ(sound.state, DirectoryState::sound);
  EXPECT_EQ(sound.git_id, "slot-0");

  const auto judged = [&] { return look_at_directory(common, slot_path()).state; };
  write(slot_path() / ".git", "");
  EXPECT_EQ(judged(), DirectoryState::no_gitfile);
  write(slot_path() / ".git", "gitdir: /somewhere/else\n");
  EXPECT_EQ(judged(), DirectoryState::foreign);
  write(slot_path() / ".git", "gitdir: " + common + "/worktrees\n");
  EXPECT_EQ(judged(), DirectoryState::foreign);
  fs::remove(slot_path() / ".git");
  EXPECT_EQ(judged(), DirectoryState::no_gitfile);
  fs::create_symlink(common, slot_path() / ".git");
  EXPECT_EQ(judged(), DirectoryState::foreign);
  fs::remove(slot_path() / ".git");
  fs::create_directory(slot_path() / ".git");
  EXPECT_EQ(judged(), DirectoryState::foreign);
  fs::remove_all(slot_path());
  write(slot_path(), "a file");
  EXPECT_EQ(judged(), DirectoryState::not_a_directory);
  fs::remove(slot_path());
  fs::create_symlink(root, slot_path());
  EXPECT_EQ(judged(), DirectoryState::not_a_directory);
}

TEST_F(Entries, HeadIsReadFromLooseAndPackedRefs) {
  make_source();
  const Git git = ready_slot();
  EXPECT_EQ(read_head(common, "slot-0").oid, id("HEAD"));
  EXPECT_EQ(read_head(common, "slot-0").branch, std::nullopt);
  switch_to_new(git, "feature/x", id("HEAD"));
  EXPECT_EQ(read_head(common, "slot-0").branch, "feature/x");
  EXPECT_EQ(read_head(common, "slot-0").oid, id("HEAD"));
  sh(source_dir, "git branch feature/xx && git branch feature/w && git pack-refs --all --prune");
  EXPECT_FALSE(fs::exists(common + "/refs/heads/feature/x"));
  EXPECT_EQ(read_head(common, "slot-0").oid, id("HEAD"));
  write(entry() + "/HEAD", "ref: refs/heads/unborn\n");
  EXPECT_EQ(read_head(common, "slot-0").branch, "unborn");
  EXPECT_EQ(read_head(common, "slot-0").oid, std::nullopt);
  for (const char* bad : {"", "ref: ../../../etc/passwd\n", "ref: refs/../config\n", "garbage\n", "ref: refs/heads/loop\n"}) {
    write(entry() + "/HEAD", bad);
    write(common + "/refs/heads/loop", "ref: refs/heads/loop\n");
    EXPECT_EQ(read_head(common, "slot-0").oid, std::nullopt) << bad;
  }
  EXPECT_EQ(read_head(common, "absent").oid, std::nullopt);
}

TEST_F(Entries, AddTakesUnusualPathsAndSaysWhyItFails) {
  make_source();
  const fs::path odd = root / "pool" / "-a b\n\xc3\xa4";
  const std::string git_id = add_worktree(source(), odd, id("HEAD"), "why not");
  EXPECT_EQ(disproof_of_place(common, git_id, odd), std::nullopt);
  EXPECT_TRUE(fs::exists(common + "/worktrees/" + git_id + "/locked"));
  write(slot_path() / "occupied", "x");
  EXPECT_EQ(kind_of([&] { (void)add_worktree(source(), slot_path(), id("HEAD"), "r"); }), ErrorKind::git_failed);
  EXPECT_EQ(entry_names(common).size(), 1u);
}

TEST_F(Entries, AreLockedOnlyWhenTheyAreNot) {
  make_source();
  sh(source_dir, "git worktree add -q --detach ../pool/slot-0");
  lock_entry(common, "slot-0", "wtpool key");
  lock_entry(common, "slot-0", "another");
  EXPECT_EQ(read(entry() + "/locked"), "wtpool key\n");
  EXPECT_NE(sh(source_dir, "git worktree list --porcelain").find("locked wtpool key"), std::string::npos);
}

TEST_F(Entries, RemovedLeaveTheSourceAsItWas) {
  make_source();
  const std::string before = sh(source_dir, "find .git -not -path '.git/objects*' | sort");
  ready_slot("slot-0");
  ready_slot("slot-1");
  (void)move_entry_aside(common, "slot-1");
  remove_entry(common, "slot-0");
  remove_entry(common, "slot-0");
  EXPECT_EQ(sh(source_dir, "find .git -not -path '.git/objects*' | sort"), before);
}

TEST_F(Entries, RemovingOneKeepsTheOthers) {
  make_source();
  ready_slot("slot-0");
  ready_slot("slot-1");
  const fs::path moved = move_entry_aside(common, "slot-1");
  ready_slot("slot-2");
  remove_entry(common, "slot-0");
  EXPECT_EQ(entry_names(common), std::vector<std::string>{"slot-2"});
  EXPECT_TRUE(fs::exists(moved));
}

using WithoutDescriptors = GitRoom;

TEST_F(WithoutDescriptors, EntriesAreNotTakenForGone) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan needs descriptors of its own to look at what is thrown";
#endif
  make_source();
  (void)ready_slot();
  ASSERT_EQ(list_entries(common).size(), 1u);
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_THROW((void)list_entries(common), proto::Error);
  EXPECT_THROW((void)entry_names(common), proto::Error);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(list_entries(common).size(), 1u);
}

}  // namespace
}  // namespace wtpool::git
