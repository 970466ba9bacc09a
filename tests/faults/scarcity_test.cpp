// Nothing left of what a host has: bytes, inodes, descriptors, the disk itself. Said in time and by its kind, leases are given
// back all the same, and all heals by itself when there is enough again.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>

#include "tests/faults/invariants.hpp"
#include "tests/faults/mount.hpp"
#include "tests/support/wire.hpp"

namespace wtpool::test {
namespace {

constexpr const char* kSmall = "size=24m,nr_inodes=2000";

class Scarcity : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = no_mounts()) GTEST_SKIP() << *why;
    write_text(world.dir() / "config/wtpool/wtpoold.yaml", "reserve: 4194304\n");
    fs::create_directories(world.dir() / "disk");
  }
  void serve(const fs::path& source) {
    repo.emplace(Repo::make(source));
    world.start_daemon();
    world.init(*repo, {"--pool", "app"});
  }
  // The kind of the error that an acquire is refused with, and what it says.
  std::pair<std::string, std::string> refusal(const std::string& name) const {
    Wire wire(world.socket());
    const auto answer = wire.call("slot.acquire", {{"pool", "app"}, {"name", name}});
    if (!answer.contains("error")) return {"granted", answer.dump()};
    return {answer["error"]["data"].value("kind", ""), answer["error"].value("message", "")};
  }
  [[nodiscard]] bool kept(const std::string& text) const {
    for (const auto& ref : repo->trash_refs())
      if (ref.ends_with("/work") && repo->try_git({"show", ref + ":README.md"}).out == text) return true;
    return false;
  }
  void expect_all_works() const {
    EXPECT_EQ(repo->complaint(), "");
    for (const auto& slot : world.json_of({"ls"})) EXPECT_NE(slot["state"], "quarantined") << slot;
    const auto path = world.acquire("afterwards");
    EXPECT_EQ(git(path, {"status", "--porcelain", "--untracked-files=no"}), "");
    world.release("afterwards");
  }
  // Held slots, one clean and one dirty, then nothing is left; `give_back` makes room again.
  void run_out(const std::function<void()>& take_all, const std::function<void()>& give_back) {
    const auto clean = world.acquire("clean");
    const auto dirty = world.acquire("dirty");
    write_text(dirty / "README.md", "dirty work\n");
    world.acquire("idle");
    world.release("idle");
    take_all();
    for (const auto* name : {"fresh", "idle-again"}) {
      const auto [kind, message] = refusal(name);
      EXPECT_EQ(kind, "no_space") << message;
    }
    EXPECT_EQ(world.wtpool({"ls"}).code, 0);
    const auto first = world.wtpool({"release", "clean"});
    const auto second = world.wtpool({"release", "dirty"});
    for (const auto& outcome : {first, second})
      EXPECT_TRUE(outcome.code == 0 || outcome.err.find("No space left on device") != std::string::npos) << outcome;
    EXPECT_EQ(read_text(dirty / "README.md"), "dirty work\n") << "it could not be saved yet";
    for (const auto& slot : world.json_of({"ls"})) EXPECT_NE(slot["state"], "quarantined") << slot;
    give_back();
    if (first.code != 0) world.release("clean");
    if (second.code != 0) world.release("dirty");
    for (const auto& slot : {clean, dirty}) EXPECT_TRUE(world.wait_for_state(slot.filename(), "idle"));
    EXPECT_TRUE(kept("dirty work\n"));
    expect_all_works();
  }
  World world;
  std::optional<Repo> repo;
};

TEST_F(Scarcity, OfBytesOnThePoolsDisk) {
  const auto disk = Mount::tmpfs(world.root(), kSmall);
  serve(world.dir() / "app");
  fs::path filler;
  run_out([&] { filler = disk.fill_bytes(); }, [&] { fs::remove(filler); });
}

TEST_F(Scarcity, OfInodesOnThePoolsDisk) {
  const auto disk = Mount::tmpfs(world.root(), kSmall);
  serve(world.dir() / "app");
  fs::path filler;
  run_out([&] { filler = disk.fill_inodes(); }, [&] { fs::remove_all(filler); });
}

TEST_F(Scarcity, OfBytesOnTheSourcesDisk) {
  const auto disk = Mount::tmpfs(world.dir() / "disk", kSmall);
  serve(world.dir() / "disk/app");
  fs::path filler;
  run_out([&] { filler = disk.fill_bytes(); }, [&] { fs::remove(filler); });
}

TEST_F(Scarcity, OfInodesOnTheSourcesDisk) {
  const auto disk = Mount::tmpfs(world.dir() / "disk", kSmall);
  serve(world.dir() / "disk/app");
  fs::path filler;
  run_out([&] { filler = disk.fill_inodes(); }, [&] { fs::remove_all(filler); });
}

// A disk is not made read-only below a daemon that has its lock open; it is found so after a start.
TEST_F(Scarcity, OfAPoolsDiskThatIsReadOnly) {
  const auto disk = Mount::tmpfs(world.root(), kSmall);
  serve(world.dir() / "app");
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "work\n");
  const auto before = world.json_of({"inspect", "x"});
  world.kill_daemon();
  disk.remount_read_only(true);
  world.start_daemon();
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"acquire", "y"}, {"release", "x"}}) {
    const auto refused = world.wtpool(arguments);
    EXPECT_EQ(refused.code, 1) << refused;
    EXPECT_NE(refused.err.find("Read-only file system"), std::string::npos) << refused;
  }
  disk.remount_read_only(false);
  ASSERT_TRUE(wait_until([&] { return world.wtpool({"inspect", "x"}).code == 0; }));
  const auto after = world.json_of({"inspect", "x"});
  for (const auto* key : {"state", "name", "path", "lease", "started_at"}) EXPECT_EQ(after[key], before[key]) << key;
  world.release("x");
  EXPECT_TRUE(kept("work\n"));
  expect_all_works();
}

TEST_F(Scarcity, OfTheDiskItselfKeepsTheLeases) {
  const auto disk = Mount::tmpfs(world.dir() / "disk", kSmall);
  fs::create_directories(world.dir() / "disk/app");
  repo.emplace(Repo::make(world.dir() / "app"));
  std::unique_ptr<Mount> pool;
  const auto plug_in = [&] { pool.reset(new Mount(Mount::bind(world.dir() / "disk/app", world.root() / "app"))); };
  plug_in();
  world.start_daemon();
  world.init(*repo);
  const auto other = Repo::make(world.dir() / "other");
  world.init(other);
  const auto slot = world.acquire("x", {"--pool", "app"});
  write_text(slot / "README.md", "work\n");
  const auto before = world.json_of({"--pool", "app", "inspect", "x"});

  pool.reset();
  repo->git({"worktree", "prune"});
  const auto refused = world.wtpool({"--pool", "app", "acquire", "y"});
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("unavailable"), std::string::npos) << refused;
  EXPECT_NE(world.wtpool({"--pool", "app", "release", "x"}).code, 0);
  world.acquire("z", {"--pool", "other"});
  EXPECT_TRUE(fs::is_empty(world.root() / "app")) << "nothing is made where the disk was";

  for (const bool killed : {false, true}) {
    plug_in();
    ASSERT_TRUE(wait_until([&] { return world.wtpool({"--pool", "app", "inspect", "x"}).code == 0; }));
    const auto after = world.json_of({"--pool", "app", "inspect", "x"});
    for (const auto* key : {"state", "name", "path", "lease", "started_at"}) EXPECT_EQ(after[key], before[key]) << key;
    EXPECT_EQ(read_text(slot / "README.md"), "work\n");
    if (killed) break;
    pool.reset();  // and away again, with a start of the daemon meanwhile
    world.kill_daemon();
    world.start_daemon();
    EXPECT_NE(world.wtpool({"--pool", "app", "acquire", "y"}).code, 0);
  }
  world.release("x", {"--pool", "app"});
  EXPECT_TRUE(kept("work\n"));
}

// ---- without a mount ----
TEST(ScarceDescriptors, AreSaidAndLeasesAreGivenBack) {
  World world;
  const auto repo = world.make_repo();
  write_text(world.dir() / "config/wtpool/wtpoold.yaml", "seal: false\n");  // what a seal has open comes and goes
  world.start_daemon();
  world.init(repo);
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "work\n");
  world.acquire("idle");
  world.release("idle");
  ASSERT_TRUE(world.wait_for_state("slot-1", "idle"));
  const auto limit = [&](const std::string& number) {
    const auto outcome =
        run({.argv = {"prlimit", "--pid", std::to_string(world.daemon().pid()), "--nofile=" + number + ":4096"},
             .environment = world.environment});
    ASSERT_EQ(outcome.code, 0) << outcome;
  };
  std::size_t open = 0;
  for ([[maybe_unused]] const auto& fd : fs::directory_iterator("/proc/" + std::to_string(world.daemon().pid()) + "/fd"))
    ++open;
  limit(std::to_string(open + 2));  // a connection, and one more: no git can be started
  const auto refused = world.wtpool({"acquire", "y", "--verify"});
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("Too many open files"), std::string::npos) << refused;
  const auto released = world.wtpool({"release", "x"});
  EXPECT_TRUE(released.code == 0 || released.err.find("Too many open files") != std::string::npos) << released;
  limit("1024");
  if (released.code != 0) world.release("x");
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  for (const auto& element : world.json_of({"ls"})) EXPECT_NE(element["state"], "quarantined") << element;
  world.acquire("y");
  EXPECT_EQ(repo.complaint(), "");
}

TEST(ScarceStateDirectory, IsSaidAtTheStart) {
  World world;
  fs::remove_all(world.dir() / "state");
  write_text(world.dir() / "state", "a file\n");
  auto daemon = world.start_wtpoold();
  const auto outcome = daemon.wait(20s);
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_NE(outcome.err.find((world.dir() / "state").string()), std::string::npos) << outcome;
  EXPECT_EQ(lines_of(outcome.err).size(), 1u) << outcome;
}

// A disk that does not take what it is given.
class FailingSync : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
    slot = world.acquire("x");
    write_text(slot / "README.md", "work\n");
  }
  // Every fsync of the daemon and of its gits fails while the value lives.
  [[nodiscard]] Process fail() const {
    Process strace({.argv = {"strace", "-f", "-qq", "-o", (world.dir() / "trace").string(), "-e", "trace=fsync", "-e",
                             "inject=fsync:error=EIO", "-p", std::to_string(pid)},
                    .environment = world.environment});
    const auto traced = [&] {
      return read_text("/proc/" + std::to_string(pid) + "/status").find("TracerPid:\t0\n") == std::string::npos;
    };
    EXPECT_TRUE(wait_until(traced)) << strace.err_so_far();
    return strace;
  }
  World world;
  Repo repo = world.make_repo();
  fs::path slot;
  pid_t pid = 0;
};

TEST_F(FailingSync, LosesNothingAndIsSaid) {
  pid = world.daemon().pid();
  {
    auto strace = fail();
    const auto acquired = world.wtpool({"acquire", "y"});
    EXPECT_NE(acquired.code, 0) << "no lease without a marker that is on the disk";
    EXPECT_NE(acquired.err.find("Input/output error"), std::string::npos) << acquired;
    (void)world.wtpool({"release", "x"});
    strace.signal(SIGTERM);
    (void)strace.wait();
  }
  EXPECT_EQ(read_text(slot / "README.md"), "work\n");
  world.kill_daemon();
  world.start_daemon();
  const auto state = world.state_of("slot-0");
  if (state == "quarantined") {
    const auto repaired = world.wtpool({"repair", "slot-0"});
    EXPECT_EQ(repaired.code, 0) << repaired;
  } else if (state == "held") {
    world.release("x");
  }
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle")) << state;
  bool kept = false;
  for (const auto& ref : repo.trash_refs()) kept = kept || repo.try_git({"show", ref + ":README.md"}).out == "work\n";
  EXPECT_TRUE(kept);
  EXPECT_EQ(repo.complaint(), "");
}

}  // namespace
}  // namespace wtpool::test
