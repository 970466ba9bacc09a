// FIFOs by the names of files that git opens wherever it comes by.
#include "daemon/git/tree/blocking_files.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "daemon/git/seal/seal.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using Paths = std::vector<std::string>;

class BlockingFiles : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    git.emplace(ready_slot());
  }
  void fifo(const std::string& path) const {
    fs::create_directories((slot_path() / path).parent_path());
    ASSERT_EQ(::mkfifo((slot_path() / path).c_str(), 0644), 0) << path;
  }
  [[nodiscard]] bool stands(const std::string& path) const { return fs::exists(fs::symlink_status(slot_path() / path)); }
  std::optional<Git> git;
};

TEST_F(BlockingFiles, AreFoundWhereverFilesAreTracked) {
  for (const char* path : {".gitattributes", ".gitmodules", "dir/.gitignore", "dir/.gitmodules", "else/.gitignore"}) fifo(path);
  write(slot_path() / ".gitignore", "*.o\n");
  EXPECT_EQ(blocking_files_of(*git), (Paths{".gitattributes", ".gitmodules", "dir/.gitignore"}));
  remove_blocking_files(*git, blocking_files_of(*git));
  EXPECT_TRUE(blocking_files_of(*git).empty());
  EXPECT_TRUE(stands("dir/.gitmodules"));
  EXPECT_EQ(read(slot_path() / ".gitignore"), "*.o\n");
  EXPECT_EQ(blocking_files_below(slot_path()), Paths{"else/.gitignore"});
}

TEST_F(BlockingFiles, ASocketIsOne) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  struct ::sockaddr_un address {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, (slot_path() / ".gitignore").c_str());
  ASSERT_EQ(::bind(socket, reinterpret_cast<struct ::sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  EXPECT_EQ(blocking_files_of(*git), Paths{".gitignore"});
}

TEST_F(BlockingFiles, AreFoundByAnIndexOfAnyForm) {
  for (const char* change : {"git update-index --index-version 4", "git update-index --split-index",
                             "git update-index --no-split-index", "truncate -s 40 \"$(git rev-parse --git-dir)/index\""}) {
    sh(slot_path(), change);
    fifo("dir/.gitattributes");
    EXPECT_EQ(blocking_files_of(*git), Paths{"dir/.gitattributes"}) << change;
    fs::remove(slot_path() / "dir/.gitattributes");
  }
}

TEST_F(BlockingFiles, AreFoundByAnIndexOfVersionFourWithManyNames) {
  sh(source_dir,
     "mkdir -p a/long/way/down a/longer b && touch a/long/way/down/x a/long/y a/longer/z b/z && git add . && git commit -qm "
     "more");
  reset_hard(*git, id("HEAD"));
  sh(slot_path(), "git update-index --index-version 4");
  for (const char* path : {"a/.gitignore", "a/long/way/down/.gitignore", "a/longer/.gitignore", "b/.gitignore"}) fifo(path);
  fifo("untracked/.gitignore");
  EXPECT_EQ(blocking_files_of(*git),
            (Paths{"a/.gitignore", "a/long/way/down/.gitignore", "a/longer/.gitignore", "b/.gitignore"}));
}

TEST_F(BlockingFiles, NothingBehindASymlinkIsTouched) {
  fs::create_directories(root / "elsewhere");
  ASSERT_EQ(::mkfifo((root / "elsewhere/.gitignore").c_str(), 0644), 0);
  fs::remove_all(slot_path() / "dir");
  fs::create_directory_symlink(root / "elsewhere", slot_path() / "dir");
  EXPECT_TRUE(blocking_files_of(*git).empty());
  EXPECT_TRUE(blocking_files_below(slot_path()).empty());
  EXPECT_TRUE(blocking_files_below(slot_path(), "dir").empty());
  EXPECT_TRUE(blocking_files_in(slot_path(), {"", "..", "../elsewhere"}).empty());
  remove_blocking_files(*git, {"dir/.gitignore"});
  EXPECT_TRUE(fs::exists(root / "elsewhere/.gitignore"));
  (void)look(*git, Untracked::all, true);
  EXPECT_TRUE(fs::exists(root / "elsewhere/.gitignore"));
}

TEST_F(BlockingFiles, ALookOfTheOwnerTakesThemAwayAndSeesTheRest) {
  for (const char* path : {".gitattributes", "dir/.gitignore"}) fifo(path);
  write(slot_path() / "file", "changed\n");
  const TreeLook seen = look(*git, Untracked::all, true);
  EXPECT_EQ(seen.changed, Paths{"file"});
  EXPECT_FALSE(stands(".gitattributes"));
  EXPECT_FALSE(stands("dir/.gitignore"));
}

TEST_F(BlockingFiles, ALookOfAnybodyElseNamesThemAndLeavesThem) {
  fifo("dir/.gitignore");
  try {
    (void)look(*git, Untracked::all, false);
    FAIL() << "git cannot have looked";
  } catch (const Error& error) {
    EXPECT_NE(error.message.find("dir/.gitignore"), std::string::npos) << error.message;
  }
  EXPECT_TRUE(stands("dir/.gitignore"));
}

TEST_F(BlockingFiles, WhereNothingIsTrackedTheyAreFoundWhenGitDoesNotComeBack) {
  write(slot_path() / "mine/note", "n");
  fifo("mine/.gitignore");
  EXPECT_EQ(kind_of([&] { (void)look(*git, Untracked::all, false, std::chrono::seconds(1)); }), ErrorKind::git_failed);
  EXPECT_TRUE(stands("mine/.gitignore"));
  EXPECT_EQ(look(*git, Untracked::all, true, std::chrono::seconds(1)).untracked, Paths{"mine/note"});
  EXPECT_FALSE(stands("mine/.gitignore"));
}

TEST_F(BlockingFiles, ThoseOfARepositoryInTheTreeAreFoundWhenGitDoesNotComeBack) {
  constexpr const char* kThere[] = {"HEAD", "commondir"};
  for (const char* name : kThere) {
    sh(slot_path(), "git init -q mine");
    fs::remove(slot_path() / "mine/.git" / name);
    fifo(std::string("mine/.git/") + name);
    EXPECT_EQ(kind_of([&] { (void)look(*git, Untracked::all, false, std::chrono::seconds(1)); }), ErrorKind::git_failed);
    EXPECT_TRUE(stands(std::string("mine/.git/") + name)) << name;
    EXPECT_TRUE(look(*git, Untracked::all, true, std::chrono::seconds(1)).changed.empty());
    EXPECT_FALSE(stands(std::string("mine/.git/") + name)) << name;
    fs::remove_all(slot_path() / "mine");
  }
}

TEST_F(BlockingFiles, ThoseOfARepositoryThatAGitfileNamesAreFoundWhereItIsInTheTree) {
  fs::create_directories(root / "elsewhere");
  ASSERT_EQ(::mkfifo((root / "elsewhere/HEAD").c_str(), 0644), 0);
  for (const char* path : {"real/HEAD", "real/refs/heads/main", "real/notes", "HEAD"}) fifo(path);
  write(slot_path() / "mine/.git", "gitdir: ../real\n");
  write(slot_path() / "theirs/.git", "gitdir: ../../../elsewhere\n");
  EXPECT_EQ(blocking_files_below(slot_path()), (Paths{"real/HEAD", "real/refs/heads/main"}));
}

TEST_F(BlockingFiles, ThoseOfASubmoduleAreFoundWhenGitDoesNotComeBack) {
  sh(slot_path(), "git init -q sub && git -C sub commit -q --allow-empty -m s && git add sub && git commit -qm sub");
  for (const char* name : {"HEAD", "config", "refs/heads/main"}) {
    sh(slot_path(), "rm -rf sub && git init -q sub && git -C sub commit -q --allow-empty -m s");
    fs::remove(slot_path() / "sub/.git" / name);
    fifo(std::string("sub/.git/") + name);
    (void)look(*git, Untracked::all, true, std::chrono::seconds(1));
    EXPECT_FALSE(stands(std::string("sub/.git/") + name)) << name;
  }
}

TEST_F(BlockingFiles, NoneIsLeftBesideWhatWasDeleted) {
  sh(slot_path(), "git rm -q -r dir");
  fifo("dir/.gitattributes");
  (void)look(*git, Untracked::all, true);
  EXPECT_FALSE(stands("dir/.gitattributes"));
}

TEST_F(BlockingFiles, NoneIsLeftBesideWhatIsSaved) {
  write(slot_path() / "mine/note", "n");
  fifo("mine/.gitattributes");
  fs::remove(slot_path() / "file");
  write(slot_path() / "file/.gitignore", "*\n");
  fifo("file/deep/.gitattributes");
  (void)look(*git, Untracked::all, true);
  EXPECT_FALSE(stands("mine/.gitattributes"));
  EXPECT_FALSE(stands("file/deep/.gitattributes"));
}

TEST_F(BlockingFiles, NoSlotIsSealedWithOne) {
  fifo("dir/.gitattributes");
  const auto made = Seal::make(*git, {{}, {}, 1000});
  const auto* no = std::get_if<NoSeal>(&made);
  ASSERT_NE(no, nullptr);
  if (no->why == NoSeal::Why::unsupported) GTEST_SKIP() << no->text;
  EXPECT_EQ(no->why, NoSeal::Why::dirty);
  EXPECT_NE(no->text.find("dir/.gitattributes"), std::string::npos) << no->text;
  EXPECT_TRUE(stands("dir/.gitattributes"));
}

TEST_F(BlockingFiles, OneThatStandsWhereACommitPutsFilesIsInTheWay) {
  const Oid from = id("HEAD");
  sh(source_dir, "mkdir -p new/deep && echo n > new/deep/file && git add new && git commit -qm new");
  fifo("new/.gitattributes");
  EXPECT_EQ(in_the_way(slot_path().string(), paths_added(*git, from, id("HEAD"))), Paths{"new/.gitattributes"});
  fs::remove(slot_path() / "new/.gitattributes");
  EXPECT_TRUE(in_the_way(slot_path().string(), paths_added(*git, from, id("HEAD"))).empty());
}

}  // namespace
}  // namespace wtpool::git
