// Sealed slots: whatever a program does to one, the next holder never sees it; and what nobody touched is not looked at again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

// A file of the slot mapped for writing, by this process.
class Mapping {
 public:
  explicit Mapping(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    at_ = static_cast<char*>(::mmap(nullptr, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    ::close(fd);
  }
  ~Mapping() { ::munmap(at_, 16); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  [[nodiscard]] bool stands() const { return at_ != MAP_FAILED; }
  void store() { at_[0] = '!'; }

 private:
  char* at_;
};

class Seal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* why = cannot_seal()) GTEST_SKIP() << why;
    configure("seal_quiet: 1s\n");
    repo.commit("src/deep/a.txt", std::string(4000, 'a') + "\n");
    repo.commit("src/deep/b.txt", "b\n");
    world.start_daemon();
    world.init(repo, {"--max-slots", "1"});
    slot = world.acquire("first");
    world.release("first");
    ASSERT_TRUE(sealed());
  }
  static const char* cannot_seal() {
#ifdef __linux__
    return nullptr;
#else
    return "nothing is sealed on this system";
#endif
  }
  void configure(const std::string& text) const {
    const auto directory = world.dir() / "config/wtpool";
    fs::create_directories(directory);
    write_text(directory / "wtpoold.yaml", text);
  }

  [[nodiscard]] bool sealed() const {
    return wait_until([&] { return world.slot("slot-0")["sealed"] == true; });
  }
  [[nodiscard]] bool unsealed() const {
    return wait_until([&] { return world.slot("slot-0")["sealed"] == false; }, 5s);
  }
  // The next holder has the commit, whole, and nothing else.
  void expect_clean_for_the_next(const std::string& name = "next") const {
    EXPECT_EQ(world.acquire(name), slot);
    EXPECT_EQ(git(slot, {"status", "--porcelain", "-uno"}), "");
    EXPECT_EQ(git(slot, {"ls-files", "-v"}).find("h "), std::string::npos);
    EXPECT_EQ(read_text(slot / "src/deep/a.txt"), std::string(4000, 'a') + "\n");
    EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
    EXPECT_EQ(git(slot, {"symbolic-ref", "--short", "HEAD"}), name);
    EXPECT_EQ(repo.complaint(), "");
  }

  World world;
  Repo repo = world.make_repo();
  fs::path slot;
};

TEST_F(Seal, IsShownAndSaidInTheEventStream) {
  auto watch = world.start_wtpool({"watch"});
  world.acquire("x");
  EXPECT_EQ(world.slot("slot-0")["sealed"], false);
  world.release("x");
  EXPECT_TRUE(sealed());
  EXPECT_NE(world.wtpool({"ls"}).out.find("idle (sealed)"), std::string::npos);
  write_text(slot / "README.md", "!\n");
  EXPECT_TRUE(unsealed());
}

TEST_F(Seal, SeesEveryWayToWrite) {
  const auto in_shell = [&](const std::string& script) {
    EXPECT_EQ(run({{"sh", "-ec", script}, world.environment, slot}).code, 0) << script;
  };
  const std::vector<std::string> scripts{
      "echo dirt > README.md",
      "echo dirt >> src/deep/a.txt",
      "printf x | dd of=src/deep/a.txt conv=notrunc bs=1 seek=7 2>/dev/null",
      "truncate -s 3 src/deep/a.txt",
      "cp README.md new && mv new src/main.c",
      "chmod +x README.md",
      "rm src/deep/b.txt",
      "mv src/deep/b.txt src/deep/c.txt",
      "mv src elsewhere && mkdir src",
      "rm -r src/deep && ln -s /tmp src/deep",
      "mv src/deep /tmp/$$ && cp -r /tmp/$$ src/deep && echo x > src/deep/b.txt; rm -r /tmp/$$",
      "rm README.md && mkdir README.md && touch README.md/in",
      "cp -al . ../copy && echo dirt > ../copy/README.md; rm -r ../copy",
      "touch -d 2001-01-01 README.md",
      "git update-index --assume-unchanged README.md && echo dirt > README.md",
      "git update-index --skip-worktree src/main.c && echo dirt > src/main.c",
      "git reset -q --soft HEAD~1",
      "git rm -q --cached src/deep/b.txt",
      "echo dirt > README.md && git add README.md",
      "git checkout -q HEAD~1",
      "git config --worktree core.autocrlf true 2>/dev/null || git config core.autocrlf input; echo dirt > src/main.c",
  };
  int number = 0;
  for (const auto& script : scripts) {
    SCOPED_TRACE(script);
    ASSERT_TRUE(sealed());
    in_shell(script);
    const std::string name = "next-" + std::to_string(number++);
    expect_clean_for_the_next(name);
    world.release(name);
    (void)repo.try_git({"config", "--unset", "core.autocrlf"});
  }
}

TEST_F(Seal, IsNotMadeWhileAFileIsMappedForWriting) {
  world.acquire("x");
  {
    Mapping mapping(slot / "src/deep/a.txt");
    ASSERT_TRUE(mapping.stands());
    world.release("x");
    EXPECT_EQ(world.slot("slot-0")["sealed"], false);
    mapping.store();  // makes no event
    EXPECT_EQ(world.slot("slot-0")["sealed"], false);
    expect_clean_for_the_next();  // git has put another file in its place: what is mapped is nobody's now
    world.release("next");
  }
  EXPECT_TRUE(sealed());
}

TEST_F(Seal, EndsWhenAFileIsOpenedThoughNothingIsWritten) {
  Mapping mapping(slot / "src/deep/a.txt");
  ASSERT_TRUE(mapping.stands());
  EXPECT_TRUE(unsealed());
  mapping.store();
  expect_clean_for_the_next();
}

TEST_F(Seal, ComesBackWhenTheTreeWasQuiet) {
  EXPECT_NE(read_text(slot / "README.md"), "");
  EXPECT_TRUE(unsealed());
  EXPECT_TRUE(sealed());
}

TEST_F(Seal, DoesNotMindWhatIsNotTracked) {
  world.acquire("x");
  fs::create_directories(slot / "build/cache");
  world.release("x");
  ASSERT_TRUE(sealed());
  for (int i = 0; i < 100; ++i) write_text(slot / "build/cache" / std::to_string(i), "warm\n");
  EXPECT_EQ(world.slot("slot-0")["sealed"], true);
  expect_clean_for_the_next();
  EXPECT_EQ(read_text(slot / "build/cache/99"), "warm\n");
}

TEST_F(Seal, IsMadeAgainByTheNextDaemon) {
  world.kill_daemon();
  write_text(slot / "README.md", "while nobody looked\n");
  world.start_daemon();
  expect_clean_for_the_next();
  EXPECT_EQ(repo.trash_refs().size(), 1u) << "what was written is kept";
  world.release("next");
  world.stop_daemon();
  world.start_daemon();
  EXPECT_TRUE(sealed());
}

TEST_F(Seal, CanBeSwitchedOff) {
  world.stop_daemon();
  configure("seal: false\n");
  world.start_daemon();
  expect_clean_for_the_next();
  world.release("next");
  EXPECT_EQ(world.slot("slot-0")["sealed"], false);
}

TEST_F(Seal, VerifyHasGitLookAllTheSame) {
  const auto outcome = world.wtpool({"acquire", "x", "--verify"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Seal, FollowsTheTipOfTheDefaultBranch) {
  const auto tip = repo.commit("src/deep/b.txt", "newer\n");
  EXPECT_TRUE(wait_until([&] {
    const auto seen = world.slot("slot-0");
    return seen["full_sha"] == tip && seen["sealed"] == true;
  }));
  EXPECT_EQ(read_text(slot / "src/deep/b.txt"), "newer\n");
  const auto got = world.json_of({"acquire", "x"});
  EXPECT_EQ(got["reused_commit"], true);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Seal, DoesNotFollowOverAnUntrackedFile) {
  world.acquire("x");
  write_text(slot / "mine.txt", "mine\n");
  world.release("x");
  ASSERT_TRUE(sealed());
  const auto before = repo.head();
  repo.commit("mine.txt", "theirs\n");
  EXPECT_TRUE(wait_until([&] { return world.slot("slot-0")["sealed"] == false; }));
  EXPECT_EQ(read_text(slot / "mine.txt"), "mine\n");
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), before);
}

}  // namespace
}  // namespace wtpool::test
