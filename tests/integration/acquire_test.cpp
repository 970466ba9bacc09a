#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Acquire : public ::testing::Test {
 protected:
  void SetUp() override { world.start_daemon(); }
  [[nodiscard]] fs::path slot_path(int number) const { return world.root() / "app" / ("slot-" + std::to_string(number)); }
  // Runs `acquire` with these arguments, expects this exit code, nothing on stdout, and a source that stays as it was.
  Outcome refused(std::vector<std::string> arguments, int code) {
    const auto before = repo.everything();
    arguments.insert(arguments.begin(), "acquire");
    auto outcome = world.wtpool(arguments);
    EXPECT_EQ(outcome.code, code) << outcome;
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("wtpool: ")) << outcome;
    EXPECT_EQ(repo.everything(), before);
    return outcome;
  }
  World world;
  Repo repo = world.make_repo();
};

TEST_F(Acquire, GivesAFreshSlotOnABranchOfItsOwn) {
  world.init(repo);
  const auto outcome = world.wtpool({"acquire", "feature-x"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  const auto slot = slot_path(0);
  EXPECT_EQ(outcome.out, slot.string() + "\n");
  EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/feature-x");
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(read_text(slot / "README.md"), "A repository.\n");
}

TEST_F(Acquire, WritesAMarkerThatTheReferenceToolCanRead) {
  world.init(repo);
  const auto slot = world.acquire("feature-x");
  const auto marker = flat_yaml(read_text(marker_of(slot)));
  EXPECT_TRUE(std::regex_match(marker.at("started_at"), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")))
      << marker.at("started_at");
  EXPECT_EQ(marker.at("full_sha"), repo.head());
  EXPECT_EQ(marker.at("format"), "2");
  EXPECT_EQ(marker.at("state"), "held");
  EXPECT_EQ(marker.at("name"), "feature-x");
  EXPECT_TRUE(std::regex_match(marker.at("lease_id"), std::regex("[0-9a-f]{32}")));
  EXPECT_EQ(marker.at("lease_kind"), "durable");
  EXPECT_EQ(marker.at("branch_base"), repo.head());
  for (const auto* absent : {"group", "key", "ttl_seconds", "owner_pid", "on_dirty"})
    EXPECT_FALSE(marker.contains(absent)) << absent;
  const auto lines = yaml_lines(read_text(marker_of(slot)));
  ASSERT_GE(lines.size(), 2u);
  EXPECT_TRUE(lines[0].starts_with("started_at: "));
  EXPECT_TRUE(lines[1].starts_with("full_sha: "));
}

TEST_F(Acquire, LocksTheWorktreeAgainstPruning) {
  world.init(repo);
  const auto slot = world.acquire("x");
  const auto list = repo.git({"worktree", "list", "--porcelain"});
  EXPECT_NE(list.find("worktree " + slot.string() + "\nHEAD " + repo.head() + "\nbranch refs/heads/x\nlocked wtpool app"),
            std::string::npos)
      << list;
  fs::rename(slot, slot.string() + ".away");
  repo.git({"worktree", "prune", "--expire=now"});
  fs::rename(slot.string() + ".away", slot);
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
}

TEST_F(Acquire, LeavesTheSourceAsItWasButForTheBranchAndTheWorktree) {
  world.init(repo);
  const auto config = read_text(repo.path() / ".git/config");
  const auto head = read_text(repo.path() / ".git/HEAD");
  world.acquire("x");
  EXPECT_EQ(read_text(repo.path() / ".git/config"), config);
  EXPECT_EQ(read_text(repo.path() / ".git/HEAD"), head);
  EXPECT_EQ(repo.git({"for-each-ref", "--format=%(refname)"}), "refs/heads/main\nrefs/heads/x");
  EXPECT_FALSE(fs::exists(repo.path() / ".git/FETCH_HEAD"));
  EXPECT_EQ(repo.git({"status", "--porcelain"}), "");
}

TEST_F(Acquire, TakesTheIdleSlotBeforeMakingAnother) {
  world.init(repo);
  const auto first = world.acquire("a");
  world.release("a");
  EXPECT_EQ(world.acquire("b"), first);
  EXPECT_EQ(git(first, {"symbolic-ref", "--short", "HEAD"}), "b");
  EXPECT_EQ(world.acquire("c"), slot_path(1));
}

TEST_F(Acquire, LeavesIgnoredAndUntrackedFilesOfAnIdleSlotAsWarmCaches) {
  world.init(repo);
  const auto slot = world.acquire("a");
  write_text(slot / "build/cache.bin", "warm");
  write_text(slot / "note.txt", "left here");
  world.release("a");
  const auto outcome = world.wtpool({"acquire", "b"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(read_text(slot / "build/cache.bin"), "warm");
  EXPECT_EQ(read_text(slot / "note.txt"), "left here");
  EXPECT_NE(outcome.err.find("1 "), std::string::npos) << "one untracked file is to be said\n" << outcome;
  EXPECT_NE(outcome.err.find("untracked"), std::string::npos) << outcome;
}

TEST_F(Acquire, AnUntrackedFileInTheWayOfTheCommitGoesToTheTrashFirst) {
  const auto old = repo.head();
  repo.commit("note.txt", "tracked now\n");
  world.init(repo);
  const auto slot = world.acquire("a", {"--commit", old});
  write_text(slot / "note.txt", "precious\n");
  world.release("a");
  EXPECT_EQ(world.acquire("b"), slot);
  EXPECT_EQ(read_text(slot / "note.txt"), "tracked now\n");
  bool found = false;
  for (const auto& ref : repo.trash_refs()) {
    for (const auto* place : {":note.txt", "^3:note.txt"}) {
      const auto shown = repo.try_git({"show", ref + place});
      found = found || (shown.code == 0 && shown.out == "precious\n");
    }
  }
  const auto kept = world.root() / "app/.meta/trash";
  if (fs::exists(kept)) {
    for (const auto& entry : fs::recursive_directory_iterator(kept)) {
      found = found || (entry.is_regular_file() && read_text(entry.path()) == "precious\n");
    }
  }
  EXPECT_TRUE(found) << "the untracked file is nowhere";
}

TEST_F(Acquire, TakesAnyCommitAndSaysWhich) {
  const auto first = repo.head();
  repo.git({"tag", "v1"});
  const auto second = repo.commit("a.txt", "a");
  world.init(repo);
  EXPECT_EQ(git(world.acquire("old", {"--commit", "v1"}), {"rev-parse", "HEAD"}), first);
  EXPECT_EQ(git(world.acquire("new"), {"rev-parse", "HEAD"}), second);
  EXPECT_EQ(git(world.acquire("short", {"--commit", first.substr(0, 10)}), {"rev-parse", "HEAD"}), first);
  EXPECT_EQ(git(world.acquire("relative", {"--commit", "main~1"}), {"rev-parse", "HEAD"}), first);
}

TEST_F(Acquire, MovesAnIdleSlotToAnotherCommit) {
  const auto first = repo.head();
  repo.commit("src/main.c", "int main(void) { return 1; }\n");
  const auto second = repo.commit("added.txt", "added\n");
  world.init(repo, {"--max-slots", "1"});
  const auto slot = world.acquire("new");
  EXPECT_TRUE(fs::exists(slot / "added.txt"));
  world.release("new");
  world.acquire("old", {"--commit", first});
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), first);
  EXPECT_FALSE(fs::exists(slot / "added.txt"));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  world.release("old");
  world.acquire("again", {"--commit", second});
  EXPECT_EQ(read_text(slot / "added.txt"), "added\n");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Acquire, PrefersTheIdleSlotThatStandsAtTheCommit) {
  // Else both soon stand at the tip.
  world.stop_daemon();
  fs::create_directories(world.dir() / "config/wtpool");
  write_text(world.dir() / "config/wtpool/wtpoold.yaml", "follow_tip: false\n");
  world.start_daemon();
  const auto first = repo.head();
  const auto second = repo.commit("a.txt", "a");
  world.init(repo, {"--max-slots", "2"});
  const auto one = world.acquire("one", {"--commit", first});
  const auto two = world.acquire("two", {"--commit", second});
  world.release("two");
  world.release("one");
  EXPECT_EQ(world.acquire("x", {"--commit", second}), two);
  EXPECT_EQ(world.acquire("y", {"--commit", first}), one);
}

TEST_F(Acquire, RefusesACommitThatIsNowhere) {
  world.init(repo);
  const auto outcome = refused({"x", "--commit", "no-such-thing"}, 1);
  EXPECT_NE(outcome.err.find("no-such-thing"), std::string::npos) << outcome;
  refused({"x", "--commit", "--upload-pack=touch /tmp/x"}, 1);
  EXPECT_EQ(world.state_of("slot-0"), "fresh");
}

TEST_F(Acquire, RefusesABranchThatExistsAndLeavesItAlone) {
  repo.git({"branch", "taken"});
  world.init(repo);
  const auto outcome = refused({"taken"}, 9);
  EXPECT_NE(outcome.err.find("taken"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("hint: "), std::string::npos) << outcome;
}

TEST_F(Acquire, RefusesMain) {
  world.init(repo);
  refused({"main"}, 9);
  refused({"main", "--resume"}, 9);
  refused({"main", "--replace"}, 9);
}

TEST_F(Acquire, RefusesABranchThatIsCheckedOutElsewhere) {
  repo.git({"worktree", "add", "-q", "-b", "elsewhere", (world.dir() / "by-hand").string()});
  world.init(repo);
  refused({"elsewhere"}, 9);
  refused({"elsewhere", "--resume"}, 9);
  refused({"elsewhere", "--replace"}, 9);
}

TEST_F(Acquire, RefusesABranchThatConflictsAsDirectoryAndFile) {
  repo.git({"branch", "a/b"});
  repo.git({"branch", "c"});
  world.init(repo);
  refused({"a"}, 9);
  refused({"a/b/d"}, 9);
  refused({"c/d"}, 9);
  EXPECT_EQ(git(world.acquire("a/x"), {"symbolic-ref", "HEAD"}), "refs/heads/a/x");
  repo.git({"pack-refs", "--all"});
  refused({"a"}, 9);
  refused({"c/d"}, 9);
}

TEST_F(Acquire, RefusesANameThatIsHeld) {
  world.init(repo);
  world.acquire("x");
  const auto outcome = refused({"x"}, 6);
  EXPECT_NE(outcome.err.find("x"), std::string::npos);
  refused({"x", "--replace"}, 6);
  refused({"x", "--resume"}, 6);
}

TEST_F(Acquire, ResumeChecksOutTheBranchAtItsOwnTip) {
  repo.git({"switch", "-q", "-c", "topic"});
  const auto tip = repo.commit("topic.txt", "work\n");
  repo.git({"switch", "-q", "main"});
  world.init(repo);
  const auto slot = world.acquire("topic", {"--resume"});
  EXPECT_EQ(git(slot, {"rev-parse", "refs/heads/topic", "HEAD"}), tip + "\n" + tip);
  EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/topic");
  EXPECT_EQ(read_text(slot / "topic.txt"), "work\n");
  EXPECT_FALSE(flat_yaml(read_text(marker_of(slot))).contains("branch_base"));
}

TEST_F(Acquire, ResumeOnAnIdleSlotWorksToo) {
  world.init(repo, {"--max-slots", "1"});
  world.acquire("warm");
  world.release("warm");
  repo.git({"switch", "-q", "-c", "topic"});
  const auto tip = repo.commit("topic.txt", "work\n");
  repo.git({"switch", "-q", "main"});
  const auto slot = world.acquire("topic", {"--resume"});
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), tip);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Acquire, ReplaceKeepsTheOldTipInTheTrash) {
  repo.git({"switch", "-q", "-c", "topic"});
  const auto tip = repo.commit("topic.txt", "work\n");
  repo.git({"switch", "-q", "main"});
  world.init(repo);
  const auto slot = world.acquire("topic", {"--replace"});
  EXPECT_EQ(git(slot, {"rev-parse", "refs/heads/topic"}), repo.head());
  const auto refs = repo.trash_refs();
  ASSERT_EQ(refs.size(), 1u);
  EXPECT_TRUE(refs[0].ends_with("/heads/topic")) << refs[0];
  EXPECT_EQ(repo.git({"rev-parse", refs[0]}), tip);
}

TEST_F(Acquire, ResumeAndReplaceTogetherAreWrongUsage) {
  world.init(repo);
  EXPECT_EQ(world.wtpool({"acquire", "x", "--resume", "--replace"}).code, 2);
}

TEST_F(Acquire, UniqueShaRefusesACommitThatIsHeldAndNamesTheHolder) {
  world.init(repo);
  world.acquire("holder");
  const auto outcome = refused({"other", "--unique-sha"}, 5);
  EXPECT_NE(outcome.err.find("holder"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("slot-0"), std::string::npos) << outcome;
  repo.commit("a.txt", "a");
  world.acquire("other", {"--unique-sha"});
}

TEST_F(Acquire, CapacityShowsWhoHoldsWhatAndHowToRelease) {
  world.init(repo, {"--max-slots", "2"});
  world.acquire("one");
  world.acquire("two");
  const auto outcome = refused({"three"}, 4);
  for (const auto* word : {"slot-0", "one", "slot-1", "two", "wtpool", "--wait"}) {
    EXPECT_NE(outcome.err.find(word), std::string::npos) << word << outcome;
  }
  world.release("one");
  world.acquire("three");
}

TEST_F(Acquire, TheSameKeyGivesBackTheSameLease) {
  world.init(repo);
  const auto first = world.json_of({"acquire", "x", "--key", "ci-1"});
  const auto again = world.json_of({"acquire", "x", "--key", "ci-1"});
  EXPECT_EQ(first["lease_id"], again["lease_id"]);
  EXPECT_EQ(first["path"], again["path"]);
  EXPECT_EQ(flat_yaml(read_text(marker_of(first["path"].get<std::string>()))).at("key"), "ci-1");
  refused({"x", "--key", "ci-2"}, 6);
  refused({"x"}, 6);
  world.kill_daemon();
  world.start_daemon();
  EXPECT_EQ(world.json_of({"acquire", "x", "--key", "ci-1"})["lease_id"], first["lease_id"]);
}

TEST_F(Acquire, FetchesOnAMissOnceAndOnlyThen) {
  const auto clone = Repo::clone(world.dir() / "clone", repo);
  const auto later = repo.commit("later.txt", "later\n");
  world.init(clone);
  const auto config = read_text(clone.path() / ".git/config");
  EXPECT_NE(git(world.acquire("a"), {"rev-parse", "HEAD"}), later) << "default_commit is known, so nothing was to be fetched";
  const auto slot = world.acquire("b", {"--commit", later});
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), later);
  EXPECT_NE(clone.git({"rev-parse", "refs/remotes/origin/main"}), later) << "an id is fetched by its id alone";
  EXPECT_FALSE(fs::exists(clone.path() / ".git/FETCH_HEAD"));
  EXPECT_EQ(read_text(clone.path() / ".git/config"), config);
  EXPECT_EQ(clone.git({"tag", "--list"}), "");
}

TEST_F(Acquire, AnOriginThatIsGoneIsSaidAndHarmsNoKnownCommit) {
  const auto clone = Repo::clone(world.dir() / "clone", repo);
  fs::rename(repo.path(), world.dir() / "moved");
  world.init(clone);
  world.acquire("known");
  const auto outcome = world.wtpool({"acquire", "unknown", "--commit", std::string(40, 'a')});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_FALSE(clone.has_branch("unknown"));
}

TEST_F(Acquire, PrintsTheLeaseAsJson) {
  world.init(repo);
  const auto lease = world.json_of({"acquire", "x"});
  EXPECT_EQ(keys_of(lease),
            (std::vector<std::string>{"branch", "carried", "created", "fetched_at", "fresh", "full_sha", "lease_id", "left_out",
                                      "name", "path", "pool", "reused_commit", "slot", "stale", "waited_seconds"}));
  EXPECT_EQ(lease["pool"], "app");
  EXPECT_EQ(lease["slot"], "slot-0");
  EXPECT_EQ(lease["path"], slot_path(0).string());
  EXPECT_EQ(lease["name"], "x");
  EXPECT_EQ(lease["branch"], "x");
  EXPECT_EQ(lease["full_sha"], repo.head());
  EXPECT_EQ(lease["fresh"], true);
  EXPECT_TRUE(lease["waited_seconds"].is_number());
  world.release("x");
  const auto warm = world.json_of({"acquire", "y"});
  EXPECT_EQ(warm["fresh"], false);
  EXPECT_EQ(warm["reused_commit"], true);
  EXPECT_NE(warm["lease_id"], lease["lease_id"]);
}

TEST_F(Acquire, ManyAtOnceGetASlotEach) {
  world.init(repo, {"--max-slots", "8"});
  std::vector<Process> clients;
  for (int number = 0; number < 8; ++number) clients.push_back(world.start_wtpool({"acquire", "n" + std::to_string(number)}));
  std::set<std::string> slots;
  for (auto& client : clients) {
    const auto outcome = client.wait();
    EXPECT_EQ(outcome.code, 0) << outcome;
    slots.insert(outcome.out);
  }
  EXPECT_EQ(slots.size(), 8u);
  EXPECT_EQ(repo.complaint(), "");
}

TEST_F(Acquire, OneNameAskedForManyTimesAtOnceIsGivenOnce) {
  world.init(repo, {"--max-slots", "8"});
  std::vector<Process> clients;
  for (int number = 0; number < 8; ++number) clients.push_back(world.start_wtpool({"acquire", "same"}));
  int given = 0;
  for (auto& client : clients) {
    const auto outcome = client.wait();
    EXPECT_TRUE(outcome.code == 0 || outcome.code == 6) << outcome;
    given += outcome.code == 0;
  }
  EXPECT_EQ(given, 1);
}

TEST_F(Acquire, SurplusSlotsAreUsedButNeverMade) {
  world.init(repo, {"--max-slots", "3"});
  for (const auto* name : {"a", "b", "c"}) world.acquire(name);
  world.release("c");
  const auto file = world.root() / "app/.meta/config.yaml";
  auto text = read_text(file);
  text.replace(text.find("max_slots: 3"), 12, "max_slots: 2");
  write_text(file, text);
  EXPECT_EQ(world.wtpool({"acquire", "d"}).code, 4) << "what is held counts, wherever it stands";
  world.release("a");
  world.acquire("d");
  EXPECT_EQ(world.wtpool({"acquire", "e"}).code, 4);
}

class Groups : public Acquire {};

TEST_F(Groups, HaveSlotsAndCapacityOfTheirOwn) {
  world.init(repo, {"--groups", "ios,android", "--max-slots", "1"});
  EXPECT_EQ(world.acquire("a", {"--group", "ios"}), world.root() / "app/ios-0");
  EXPECT_EQ(world.acquire("b", {"--group", "android"}), world.root() / "app/android-0");
  EXPECT_EQ(flat_yaml(read_text(marker_of(world.root() / "app/ios-0"))).at("group"), "ios");
  refused({"c", "--group", "ios"}, 4);
  world.release("a");
  EXPECT_EQ(world.acquire("c", {"--group", "ios"}), world.root() / "app/ios-0");
}

TEST_F(Groups, OneThatIsNotThereIsRefusedByName) {
  world.init(repo, {"--groups", "ios,android"});
  const auto outcome = world.wtpool({"acquire", "a", "--group", "windows"});
  EXPECT_NE(outcome.code, 0) << outcome;
  EXPECT_NE(outcome.err.find("windows"), std::string::npos) << outcome;
  EXPECT_FALSE(repo.has_branch("a"));
}

TEST_F(Groups, OnAPoolWithoutThemAreRefused) {
  world.init(repo);
  EXPECT_NE(world.wtpool({"acquire", "a", "--group", "ios"}).code, 0);
}

}  // namespace
}  // namespace wtpool::test
