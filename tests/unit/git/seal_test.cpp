// Whatever a program can do to a sealed slot ends the seal, or was refused when the slot was to be sealed.
#include "daemon/git/seal/seal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "common/files/files.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

using Why = NoSeal::Why;
using Made = std::variant<std::unique_ptr<Seal>, NoSeal>;

// A file mapped for writing as a program does it: opened, mapped, closed.
class Mapping {
 public:
  explicit Mapping(const fs::path& file) {
    const Fd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    EXPECT_TRUE(fd.valid());
    byte_ = static_cast<char*>(::mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
    EXPECT_NE(byte_, MAP_FAILED);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(byte_, 1); }
  void store(char value) { *static_cast<volatile char*>(byte_) = value; }

 private:
  char* byte_ = nullptr;
};

class Sealed : public GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    write(source_dir / ".gitignore", "node_modules/\n");
    write(source_dir / "dir/deep/er/leaf", "leaf\n");
    write(source_dir / "other/file", "other\n");
    fs::create_symlink("file", source_dir / "link");
    sh(source_dir, "git add . && git commit -qm second");
  }
  Seal::Wanted wanted(std::size_t limit = 100) const {
    Seal::Wanted wanted{{}, {common + "/config"}, limit};
    for (const char* name : {"HEAD", "index", "config.worktree"}) wanted.private_files.push_back(entry() + "/" + name);
    return wanted;
  }
  Made try_to_seal(const Git& git) const { return Seal::make(git, wanted()); }
  std::unique_ptr<Seal> seal(const Git& git) const {
    Made made = try_to_seal(git);
    if (const auto* no = std::get_if<NoSeal>(&made)) {
      ADD_FAILURE() << "not sealed: " << no->text;
      return nullptr;
    }
    return std::move(std::get<std::unique_ptr<Seal>>(made));
  }
  void expect_refused(const Git& git, Why why, const std::string& words) const {
    const Made made = try_to_seal(git);
    const auto* no = std::get_if<NoSeal>(&made);
    ASSERT_NE(no, nullptr) << "sealed, though " << words;
    EXPECT_EQ(no->why, why) << no->text;
    EXPECT_NE(no->text.find(words), std::string::npos) << no->text;
  }
};

TEST_F(Sealed, HoldsWhileNothingHappens) {
  const Git git = ready_slot();
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->watches(), 5U) << "the slot, dir, dir/deep, dir/deep/er, other";
  EXPECT_EQ(sealed->at(), id("HEAD"));
  EXPECT_TRUE(sealed->intact());
  sh(slot_path(), "true");
  EXPECT_TRUE(sealed->intact()) << "a shell that stands in it";
  EXPECT_EQ(disproof_of_place(common, "slot-0", slot_path()), std::nullopt);
  EXPECT_TRUE(sealed->intact()) << "the daemon that looks at the place";
  struct ::pollfd quiet {
    sealed->fd(), POLLIN, 0
  };
  EXPECT_EQ(::poll(&quiet, 1, 0), 0);
}

TEST_F(Sealed, HoldsWhileAnIgnoredDirectoryIsWorkedIn) {
  const Git git = ready_slot();
  write(slot_path() / "node_modules/package/index.js", "x");
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  sh(slot_path(),
     "cd node_modules/package && echo y >> index.js && cat index.js && mkdir lib && echo z > lib/z && mv lib/z . && rm -r lib "
     "&& "
     "ls . && chmod 600 z && rm z");
  EXPECT_TRUE(sealed->intact());
}

// git writes the configuration anew for each branch that it deletes, whether it had any settings or not.
TEST_F(Sealed, HoldsWhileBranchesAreMadeAndDeletedInTheSource) {
  const Git git = ready_slot();
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  const FileStamp before = stamp_of(common + "/config");
  sh(source_dir, "git branch passing && git branch -q -D passing");
  EXPECT_NE(stamp_of(common + "/config"), before) << "this git does not: the test shows nothing";
  EXPECT_TRUE(sealed->intact());
  sh(source_dir, "git config user.name somebody");
  EXPECT_FALSE(sealed->intact());
  sh(source_dir, "git config --unset user.name");
  EXPECT_FALSE(sealed->intact()) << "for good";
}

TEST_F(Sealed, EndsAtWhateverAProgramDoesToTheTree) {
  const char* const kDeeds[] = {
      "echo x > file",
      "echo x >> file",
      "truncate -s 0 file",
      ": >> file",
      "echo new > fresh && mv fresh file",
      "chmod +x file",
      "rm file",
      "touch file",
      "touch -d 2001-01-01 file",
      "cat file",
      "cat link",
      "cat dir/deep/er/leaf",
      "echo x >> dir/deep/er/leaf",
      "echo new > dir/deep/er/new",
      "mkdir dir/new",
      "rm -r dir/deep",
      "mv dir/deep elsewhere",
      "mv dir aside && mv aside dir",
      "mv dir/deep/er .. && mv ../er dir/deep/er",
      "rm -r dir && ln -s other dir",
      "mv other ../other && ln -s ../other other",
      "rm link",
      "ln -sf other link",
      "ls",
      "ls dir/deep",
      "ln file another-name",
      "cp -al . ../copy && echo x >> ../copy/file",
      "git reset -q --soft HEAD~",
      "git update-index --assume-unchanged file",
      "git update-index --refresh",
      "git status",
      "git checkout -q -b branch",
      "git config --worktree core.fileMode false",
      "rm .git",
      "echo 'gitdir: /nowhere' > .git",
      "touch .git",
      "mv ../slot-0 ../away",
      "mv ../slot-0 ../away && mv ../away ../slot-0",
      "mv ../slot-0 ../away && mkdir ../slot-0",
      "rm -r ../slot-0",
      "mv ../../pool ../../away",
      "mv ../../pool ../../away && mkdir -p ../../pool/slot-0",
  };
  sh(source_dir, "git config extensions.worktreeConfig true");
  for (const char* deed : kDeeds) {
    const Git git = ready_slot();
    const auto sealed = seal(git);
    ASSERT_TRUE(sealed) << deed;
    ASSERT_TRUE(sealed->intact()) << deed;
    sh(slot_path(), deed);
    EXPECT_FALSE(sealed->intact()) << deed;
    EXPECT_FALSE(sealed->intact()) << "for good, too: " << deed;
    fs::remove_all(root / "pool");
    fs::remove_all(root / "away");
    remove_entry(common, "slot-0");
  }
}

TEST_F(Sealed, EndsAtWhatIsDoneFromOutsideTheTree) {
  const auto expect_end = [&](const std::string& what, const std::function<void()>& deed) {
    const Git git = ready_slot();
    const auto sealed = seal(git);
    ASSERT_TRUE(sealed) << what;
    deed();
    EXPECT_FALSE(sealed->intact()) << what;
    fs::remove_all(root / "pool");
    remove_entry(common, "slot-0");
  };
  const std::string file = slot_path() / "file";
  expect_end("git config in the source", [&] { sh(source_dir, "git config user.name somebody"); });
  expect_end("an index that is replaced", [&] { sh(root, "cp " + entry() + "/index i && mv i " + entry() + "/index"); });
  expect_end("HEAD written by hand", [&] { write(fs::path(entry()) / "HEAD", "ref: refs/heads/main\n"); });
  expect_end("times set back to what they were", [&] {
    struct ::stat before {};
    ASSERT_EQ(::stat(file.c_str(), &before), 0);
    const struct ::timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  });
  expect_end("truncation by path", [&] { ASSERT_EQ(::truncate(file.c_str(), 0), 0); });
  expect_end("an extended attribute", [&] { ASSERT_EQ(::setxattr(file.c_str(), "user.x", "y", 1, 0), 0); });
  expect_end("a mapping that began afterwards", [&] { Mapping(file).store('x'); });
}

TEST_F(Sealed, EndsAtAStoreToAMappingBeforeTheStore) {
  const Git git = ready_slot();
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  const Mapping mapping(slot_path() / "file");
  EXPECT_FALSE(sealed->intact()) << "the opening is what is seen: a store is not";
}

TEST_F(Sealed, EndsAtAWriteThroughADescriptorOfTheDirectory) {
  const Git git = ready_slot();
  const Fd directory(::open((slot_path() / "dir/deep").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  const Fd file(::openat(directory.get(), "er/leaf", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(file.valid());
  EXPECT_FALSE(sealed->intact());
}

TEST_F(Sealed, EndsAtAWriteThroughAReadersDescriptor) {
  const Git git = ready_slot();
  const Fd reader(::open((slot_path() / "file").c_str(), O_RDONLY | O_CLOEXEC));
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed) << "a reader does no harm";
  const Fd writer(::open(("/proc/self/fd/" + std::to_string(reader.get())).c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(writer.valid());
  EXPECT_FALSE(sealed->intact());
}

TEST_F(Sealed, EndsWhenMoreHappensThanTheSystemKeeps) {
  const Git git = ready_slot();
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  const int kept = std::stoi(read("/proc/sys/fs/inotify/max_queued_events"));
  for (int i = 0; i <= kept; ++i) {
    const fs::path name = slot_path() / (i % 2 == 0 ? "file" : "dir/inner");  // identical neighbours would count once
    ::close(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  }
  EXPECT_FALSE(sealed->intact());
}

TEST_F(Sealed, IsRefusedWhileAFileIsOpenOrMappedForWriting) {
  const Git git = ready_slot();
  {
    Mapping mapping(slot_path() / "dir/inner");
    expect_refused(git, Why::busy, "dir/inner is open for writing");
    mapping.store('x');
    expect_refused(git, Why::busy, "dir/inner is open for writing");
    mapping.store('i');
  }
  Fd open(::open((slot_path() / "file").c_str(), O_WRONLY | O_CLOEXEC));
  expect_refused(git, Why::busy, "file is open for writing");
  open.reset();
  EXPECT_TRUE(seal(git));
}

TEST_F(Sealed, IsRefusedWhileAnotherProcessHasAWritersDescriptorOrOneIsOnItsWay) {
  const Git git = ready_slot();
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd near(ends[0]);
  Fd far(ends[1]);
  {
    const Fd file(::open((slot_path() / "file").c_str(), O_WRONLY | O_CLOEXEC));
    struct ::msghdr message {};
    char byte = 'x';
    struct ::iovec data {
      &byte, 1
    };
    alignas(struct ::cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct ::cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = file.get();
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    ASSERT_EQ(::sendmsg(near.get(), &message, 0), 1);
  }
  expect_refused(git, Why::busy, "file is open for writing");
  far.reset();

  const Fd file(::open((slot_path() / "file").c_str(), O_WRONLY));  // inherited
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::close(near.get());
    ::pause();
    ::_exit(0);
  }
  ::close(::dup(file.get()));
  const_cast<Fd&>(file).reset();
  expect_refused(git, Why::busy, "file is open for writing");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(seal(git));
}

TEST_F(Sealed, IsRefusedWhereWhatStandsThereIsNotWhatGitKnows) {
  const Git git = ready_slot();
  write(slot_path() / "file", "changed\n");
  expect_refused(git, Why::dirty, "file is changed");
  switch_to_new(git, "branch", id("HEAD"));
  expect_refused(git, Why::dirty, "HEAD is not detached");
  reset_hard(git, id("HEAD"));
  fs::remove_all(slot_path() / "dir/deep");
  expect_refused(git, Why::dirty, "dir/deep is no directory");
  fs::create_symlink("../other", slot_path() / "dir/deep");
  expect_refused(git, Why::dirty, "dir/deep is no directory");
  fs::remove(slot_path() / "dir/deep");
  reset_hard(git, id("HEAD"));
  EXPECT_TRUE(seal(git));
}

TEST_F(Sealed, IsRefusedWhereTheIndexHidesAChange) {
  const Git git = ready_slot();
  sh(slot_path(), "git update-index --assume-unchanged file");
  expect_refused(git, Why::dirty, "file is marked as unchanged");
  sh(slot_path(), "git update-index --no-assume-unchanged file && git update-index --skip-worktree file");
  expect_refused(git, Why::dirty, "file is there, and git does not look");
}

TEST_F(Sealed, HoldsInASparseSlotUntilWhatWasLeftOutIsThere) {
  const Git git = ready_slot();
  sh(source_dir, "git config extensions.worktreeConfig true");
  sh(slot_path(), "git sparse-checkout set --no-cone /file /dir/inner");
  ASSERT_FALSE(fs::exists(slot_path() / "other"));
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->watches(), 2U);
  EXPECT_TRUE(sealed->intact());
  write(slot_path() / "other/file", "not what it should be");
  EXPECT_FALSE(sealed->intact());
  expect_refused(git, Why::dirty, "other/file");
}

TEST_F(Sealed, IsRefusedForFilesThatCanBeReachedOtherwise) {
  const Git git = ready_slot();
  fs::create_hard_link(slot_path() / "dir/inner", root / "another name");
  sh(slot_path(), "git update-index -q --refresh");
  expect_refused(git, Why::unsupported, "dir/inner has another hard link");
  fs::remove(root / "another name");
  EXPECT_TRUE(seal(git));
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown((slot_path() / "file").c_str(), 65534, 65534), 0);
  expect_refused(git, Why::unsupported, "file belongs to another user");
}

// Its other name is gone when the files are looked at; who opened it by that name has it still.
TEST_F(Sealed, IsRefusedForAWriterThatCameByANameThatIsGone) {
  const Git git = ready_slot();
  fs::create_hard_link(slot_path() / "file", root / "another name");
  {
    Mapping mapping(root / "another name");
    fs::remove(root / "another name");
    expect_refused(git, Why::busy, "file is open for writing");
  }
  EXPECT_TRUE(seal(git));
}

TEST_F(Sealed, IsMadeAlsoWhereGitHasToReadTheFiles) {
  const Git git = ready_slot();
  // Files not older than the index leave a doubt: git reads them each time.
  sh(root, "touch -d 2001-01-01 " + entry() + "/index");
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  EXPECT_TRUE(sealed->intact());
}

TEST_F(Sealed, IsRefusedWhenSomebodyWritesBehindGitsLook) {
  const Git git = ready_slot();
  sh(root, "touch -d 2001-01-01 " + entry() + "/index");
  shim("case \"$*\" in *' status '*) git \"$@\"; : > " + (root / "looked").string() + "; while [ ! -e " +
       (root / "go").string() + " ]; do sleep 0.005; done; exit 0;; esac\nexec git \"$@\"\n");
  const auto expect_busy = [&](const std::string& words, const std::function<void()>& deed) {
    fs::remove(root / "looked");
    fs::remove(root / "go");
    std::thread somebody([&] {
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
      while (!fs::exists(root / "looked") && std::chrono::steady_clock::now() < until) std::this_thread::yield();
      deed();
      write(root / "go", "");
    });
    expect_refused(git, Why::busy, words);
    somebody.join();
  };
  std::unique_ptr<Mapping> mapping;
  expect_busy("file is open for writing", [&] { mapping = std::make_unique<Mapping>(slot_path() / "file"); });
  mapping.reset();
  expect_busy("something happened to dir/inner", [&] { Mapping(slot_path() / "dir/inner").store('i'); });
  expect_busy("something happened to dir/deep", [&] { sh(slot_path(), "ls dir/deep"); });
  expect_busy("something happened to new", [&] { write(slot_path() / "new", "x"); });
  expect_busy("index was changed", [&] { sh(root, "touch " + entry() + "/index"); });
}

TEST_F(Sealed, IsRefusedWithASubmoduleThatIsFilledAndEndsWhenOneIs) {
  sh(root, "git init -q sub && cd sub && git commit -q --allow-empty -m s");
  sh(source_dir, "git submodule --quiet add ../sub sub && git commit -qm sub");
  const Git git = ready_slot();
  const auto sealed = seal(git);
  ASSERT_TRUE(sealed);
  sh(slot_path(), "git submodule --quiet update --init");
  EXPECT_FALSE(sealed->intact());
  expect_refused(git, Why::unsupported, "the submodule sub is filled");
}

TEST_F(Sealed, TakesNoMoreWatchesThanItMay) {
  const Git git = ready_slot();
  const Made made = Seal::make(git, wanted(4));
  const auto* no = std::get_if<NoSeal>(&made);
  ASSERT_NE(no, nullptr);
  EXPECT_EQ(no->why, Why::limit);
  EXPECT_EQ(no->text, "5 directories are more than the 4 left");
  EXPECT_TRUE(std::holds_alternative<std::unique_ptr<Seal>>(Seal::make(git, wanted(5))));
}

#ifndef __SANITIZE_THREAD__  // whose own thread forbids a process to go into a namespace
TEST_F(Sealed, IsRefusedWhenTheSystemGivesNoMoreWatches) {
  const Git git = ready_slot();
  const ::pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(77);
    const Fd limit(::open("/proc/sys/user/max_inotify_watches", O_WRONLY | O_CLOEXEC));
    if (!limit.valid() || ::write(limit.get(), "3\n", 2) != 2) ::_exit(77);
    const Made made = try_to_seal(git);
    const auto* no = std::get_if<NoSeal>(&made);
    ::_exit(no != nullptr && no->why == Why::limit && no->text.starts_with("the system gives no more watches") ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no user namespace may be made here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}
#endif

TEST_F(Sealed, GivesUpAtOnceWhenToldToAndHandsOverWhatItHad) {
  Context context;
  context.stop.request_stop();
  const Git git = ready_slot();
  const Git stopped = slot("slot-0", context);
  std::unique_ptr<Seal> rest;
  EXPECT_EQ(
      kind_of([&] { (void)Seal::make(stopped, wanted(), [&](std::unique_ptr<Seal> given) { rest = std::move(given); }); }),
      ErrorKind::cancelled);
  ASSERT_TRUE(rest);
  EXPECT_FALSE(rest->intact()) << "a seal that was not finished proves nothing";
}

// Somebody opens files for writing all the time, at whatever moment. Never is a tree sealed in which a change was made.
TEST_F(Sealed, NeverHoldsOverAWriterThatRacesWithItsMaking) {
  for (int i = 0; i < 200; ++i) write(source_dir / "many" / std::to_string(i), std::to_string(i));
  sh(source_dir, "git add many && git commit -qm many");
  const Git git = ready_slot();
  std::atomic<bool> going{true};
  std::atomic<int> writes{0};
  int made = 0;
  int refused = 0;
  std::thread writer([&] {
    for (unsigned i = 0; going; i = i * 1103515245U + 12345U) {
      const std::string name = slot_path() / "many" / std::to_string((i >> 16U) % 200);
      const Fd file(::open(name.c_str(), O_RDWR | O_CLOEXEC | ((i & 1U) != 0 ? O_NONBLOCK : 0)));
      if (file.valid()) ++writes;
    }
  });
  for (int i = 0; i < 20; ++i) {
    const Made result = try_to_seal(git);
    const int before = writes;
    if (const auto* sealed = std::get_if<std::unique_ptr<Seal>>(&result)) {
      // Who writes without end has done so since.
      while (writes < before + 2) std::this_thread::yield();
      EXPECT_FALSE((*sealed)->intact());
      ++made;
    } else {
      ++refused;
    }
  }
  going = false;
  writer.join();
  EXPECT_GT(refused, 0);
  EXPECT_EQ(made + refused, 20);
  EXPECT_TRUE(seal(git)) << "and the signals of broken leases have ended nobody";
}

}  // namespace
}  // namespace wtpool::git
