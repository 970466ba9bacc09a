#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
  }
  void restart_after_kill() {
    world.kill_daemon();
    world.start_daemon();
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Crash, AHeldLeaseOutlivesTheDaemon) {
  const auto slot = world.acquire("x", {"--key", "k"});
  write_text(slot / "README.md", "work in progress\n");
  const auto before = world.slot("slot-0");
  restart_after_kill();
  auto after = world.slot("slot-0");
  EXPECT_EQ(after["state"], "held");
  for (const auto* key : {"name", "branch", "full_sha", "started_at", "path", "lease"})
    EXPECT_EQ(after[key], before[key]) << key;
  EXPECT_EQ(read_text(slot / "README.md"), "work in progress\n");
  EXPECT_EQ(world.wtpool({"acquire", "x"}).code, 6);
  EXPECT_EQ(world.acquire("y"), world.root() / "app/slot-1");
  world.release("x");
  EXPECT_EQ(world.state_of("slot-0"), "idle");
}

TEST_F(Crash, AMarkerThatSaysAcquiringIsRolledBack) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  auto marker = read_text(marker_of(slot));
  marker.replace(marker.find("state: held"), 11, "state: acquiring");
  write_text(marker_of(slot), marker);
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.has_branch("x")) << "this acquire had made it";
  EXPECT_FALSE(fs::exists(marker_of(slot)));
  EXPECT_EQ(world.acquire("x"), slot);
}

TEST_F(Crash, AMarkerThatSaysReleasingIsRolledForwardWithTheWorkSaved) {
  const auto slot = world.acquire("x");
  const auto tip = Repo(slot).commit("work.txt", "work\n");
  write_text(slot / "README.md", "dirt\n");
  world.stop_daemon();
  auto marker = read_text(marker_of(slot));
  marker.replace(marker.find("state: held"), 11, "state: releasing\non_dirty: save");
  write_text(marker_of(slot), marker);
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_FALSE(repo.has_branch("x"));
  bool work = false, head = false;
  for (const auto& ref : repo.trash_refs()) {
    work = work || (ref.ends_with("/work") && repo.git({"show", ref + ":README.md"}) == "dirt");
    head = head || repo.git({"rev-parse", ref}) == tip;
  }
  EXPECT_TRUE(work);
  EXPECT_TRUE(head);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Crash, KilledAtRandomMomentsNothingIsLostOrDoubled) {
  for (int round = 0; round < 6; ++round) {
    std::vector<Process> clients;
    for (int number = 0; number < 4; ++number) {
      clients.push_back(world.start_wtpool({"acquire", "r" + std::to_string(round) + "-" + std::to_string(number)}));
    }
    // A different moment each round: when as many slots as its number have left `fresh`.
    wait_until([&] { return fs::exists(world.root() / "app" / ("slot-" + std::to_string(round % 4))); }, 2s);
    restart_after_kill();
    std::map<std::string, std::string> acknowledged;
    for (int number = 0; number < 4; ++number) {
      const auto outcome = clients[static_cast<std::size_t>(number)].wait();
      if (outcome.code == 0) acknowledged["r" + std::to_string(round) + "-" + std::to_string(number)] = trimmed(outcome.out);
    }
    ASSERT_TRUE(wait_until([&] {
      for (const auto& slot : world.json_of({"ls"})) {
        if (slot["state"] == "acquiring" || slot["state"] == "recycling") return false;
      }
      return true;
    }));
    for (const auto& [name, path] : acknowledged) EXPECT_EQ(trimmed(world.wtpool({"path", name}).out), path) << name;
    for (const auto& slot : world.json_of({"ls"})) {
      EXPECT_NE(slot["state"], "quarantined") << slot;
      if (slot["state"] == "held") world.release(slot["name"].get<std::string>());
    }
    EXPECT_EQ(repo.git({"for-each-ref", "--format=%(refname)", "refs/heads"}), "refs/heads/main");
    EXPECT_EQ(repo.complaint(), "");
  }
}

TEST_F(Crash, ATornEntryOfAFreshSlotIsMovedAside) {
  world.stop_daemon();
  // What a SIGKILL leaves in the middle of `git worktree add`: an entry without its commondir, and the intent beside it.
  const auto slot = world.root() / "app/slot-0";
  const auto entry = repo.path() / ".git/worktrees/slot-0";
  write_text(entry / "commondir", "");
  write_text(entry / "locked", "initializing");
  write_text(entry / "gitdir", (slot / ".git").string() + "\n");
  ASSERT_NE(repo.complaint(), "") << "git 2.39 is to fail here, or this test proves nothing";
  write_text(world.root() / "app/.meta/init/slot-0.intent",
             "started_at: 2026-05-05T03:34:56Z\nfull_sha: " + repo.head() +
                 "\nformat: 2\nstate: acquiring\nname: x\nlease_id: " + std::string(32, 'a') +
                 "\nlease_kind: durable\nbranch_base: " + repo.head() + "\nentries: []\n");
  world.start_daemon();
  EXPECT_TRUE(world.wait_for_state("slot-0", "fresh"));
  EXPECT_EQ(repo.complaint(), "");
  EXPECT_FALSE(fs::exists(world.root() / "app/.meta/init/slot-0.intent"));
  EXPECT_EQ(world.acquire("x"), slot);
}

TEST_F(Crash, AnUnreadableMarkerQuarantinesAndRepairBringsTheSlotBack) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "precious\n");
  world.stop_daemon();
  write_text(marker_of(slot), std::string(100, '\0'));
  world.start_daemon();
  const auto element = world.slot("slot-0");
  EXPECT_EQ(element["state"], "quarantined");
  EXPECT_TRUE(element["reason"].is_string()) << element;
  EXPECT_EQ(read_text(slot / "README.md"), "precious\n") << "nothing is touched before somebody looked";
  EXPECT_EQ(world.wtpool({"release", "slot-0"}).code, 12);
  EXPECT_EQ(world.acquire("y"), world.root() / "app/slot-1") << "other slots go on";
  const auto repaired = world.wtpool({"repair", "slot-0"});
  EXPECT_EQ(repaired.code, 0) << repaired;
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
  bool kept = false;
  for (const auto& ref : repo.trash_refs()) kept = kept || repo.try_git({"show", ref + ":README.md"}).out == "precious\n";
  EXPECT_TRUE(kept);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Crash, AMarkerCutAtAnyLengthNeverLosesTheSlotsWork) {
  const auto slot = world.acquire("x");
  write_text(slot / "README.md", "precious\n");
  const auto whole = read_text(marker_of(slot));
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{30}, whole.size() / 2, whole.size() - 2}) {
    world.stop_daemon();
    write_text(marker_of(slot), whole.substr(0, length));
    world.start_daemon();
    const auto state = world.state_of("slot-0");
    EXPECT_TRUE(state == "quarantined" || state == "held") << length << " " << state;
    EXPECT_EQ(read_text(slot / "README.md"), "precious\n") << length;
    EXPECT_TRUE(repo.has_branch("x")) << length;
  }
}

TEST_F(Crash, AGhostSlotInsideAnEnclosingRepositoryNeverReachesIt) {
  // The pools root lies in somebody's repository; a slot loses its .git file. git would then find the one around it.
  const Repo outer = Repo::make(world.root());
  write_text(world.root() / "README.md", "dirty work of the enclosing repository\n");
  const auto slot = world.acquire("x");
  world.release("x");
  world.stop_daemon();
  const auto before = outer.head() + outer.git({"status", "--porcelain", "README.md"}) + outer.git({"for-each-ref"});
  fs::remove(slot / ".git");
  world.start_daemon();
  const auto element = world.slot("slot-0");
  EXPECT_EQ(element["state"], "quarantined") << element;
  EXPECT_EQ(world.acquire("y"), world.root() / "app/slot-1");
  world.release("y");
  EXPECT_EQ(outer.head() + outer.git({"status", "--porcelain", "README.md"}) + outer.git({"for-each-ref"}), before);
  EXPECT_EQ(read_text(world.root() / "README.md"), "dirty work of the enclosing repository\n");
  EXPECT_EQ(outer.git({"symbolic-ref", "HEAD"}), "refs/heads/main");
}

TEST_F(Crash, AHeldSlotThatLosesItsGitFileWhileRunningNeverReachesTheEnclosingRepository) {
  const Repo outer = Repo::make(world.root());
  write_text(world.root() / "README.md", "dirty work of the enclosing repository\n");
  const auto slot = world.acquire("x");
  fs::remove(slot / ".git");
  (void)world.wtpool({"release", "x", "--wait"});
  (void)world.wtpool({"acquire", "y"});
  EXPECT_EQ(read_text(world.root() / "README.md"), "dirty work of the enclosing repository\n");
  EXPECT_EQ(outer.git({"symbolic-ref", "HEAD"}), "refs/heads/main");
  EXPECT_EQ(outer.git({"for-each-ref", "--format=%(refname)"}), "refs/heads/main");
}

TEST_F(Crash, ASlotReplacedByASymlinkIsNotFollowed) {
  const auto slot = world.acquire("x");
  world.release("x");
  world.stop_daemon();
  const auto elsewhere = world.make_repo("elsewhere");
  write_text(elsewhere.path() / "README.md", "mine\n");
  fs::remove_all(slot);
  fs::create_directory_symlink(elsewhere.path(), slot);
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "quarantined");
  EXPECT_EQ(world.acquire("y"), world.root() / "app/slot-1");
  EXPECT_EQ(read_text(elsewhere.path() / "README.md"), "mine\n");
}

TEST_F(Crash, AStaleSocketIsTakenOver) {
  world.kill_daemon();
  EXPECT_TRUE(fs::exists(world.socket()));
  EXPECT_EQ(world.wtpool({"status"}).code, 7) << "WTPOOL_NO_SPAWN forbids to start one";
  world.start_daemon();
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
}

// A child of the daemon that has not come to its exec has all that the daemon had, for moments.
TEST_F(Crash, ASocketThatAChildOfTheDeadDaemonStillHasIsNobodys) {
  world.kill_daemon();
  int hold[2];
  ASSERT_EQ(::pipe(hold), 0);
  const auto path = world.socket().string();
  fs::remove(path);
  const pid_t listener = ::fork();
  if (listener == 0) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 8) != 0) ::_exit(1);
    if (::fork() == 0) {
      ::close(hold[1]);
      char byte = 0;
      (void)!::read(hold[0], &byte, 1);  // until the test has ended
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(listener, &status, 0), listener);
  ASSERT_EQ(status, 0);
  const auto outcome = world.wtpool({"status"});
  EXPECT_EQ(outcome.code, 7) << outcome;
  EXPECT_NE(outcome.err.find("nothing listens there"), std::string::npos) << outcome;
  world.start_daemon();
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
  ::close(hold[0]);
  ::close(hold[1]);
}

TEST_F(Crash, ARemovedSocketIsBackWithinSeconds) {
  fs::remove(world.socket());
  EXPECT_TRUE(wait_until([&] { return world.answers(); }, 15s));
  EXPECT_EQ(world.wtpool({"status"}).code, 0);
}

TEST_F(Crash, SigtermKeepsLeasesAndEndsWithZero) {
  const auto slot = world.acquire("x");
  world.stop_daemon();
  EXPECT_FALSE(world.answers());
  EXPECT_EQ(flat_yaml(read_text(marker_of(slot))).at("state"), "held");
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held");
}

TEST_F(Crash, SigtermWaitsForWhoHasJustBeenGrantedALease) {
  Wire stays(world.socket());
  auto leaves = std::make_unique<Wire>(world.socket());
  const auto granted = stays.call("slot.acquire", {{"name", "x"}, {"confirm", true}});
  ASSERT_TRUE(granted.contains("result")) << granted;
  ASSERT_TRUE(leaves->call("slot.acquire", {{"name", "y"}, {"confirm", true}}).contains("result"));
  const auto root = world.root() / "app";
  world.daemon().signal(SIGTERM);
  ASSERT_TRUE(wait_until([&] { return world.wtpool({"acquire", "z"}).err.find("shutting down") != std::string::npos; }));
  leaves.reset();
  EXPECT_TRUE(stays.call("slot.confirm", {{"lease_id", granted["result"]["lease_id"]}}).contains("result"));
  EXPECT_EQ(world.daemon().wait(10s).code, 0);
  EXPECT_EQ(flat_yaml(read_text(marker_of(root / "slot-0"))).at("state"), "held");
  world.start_daemon();
  EXPECT_EQ(world.state_of("slot-0"), "held");
  EXPECT_TRUE(world.wait_for_state("slot-1", "idle"));
}

}  // namespace
}  // namespace wtpool::test
