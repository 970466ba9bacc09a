// Slots that are made from a template, on file systems that can clone.
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <set>

#include "tests/support/disks.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

std::int64_t mtime_ns(const fs::path& file) {
  struct ::stat stat {};
  EXPECT_EQ(::lstat(file.c_str(), &stat), 0) << file;
  return std::int64_t{stat.st_mtim.tv_sec} * 1'000'000'000 + stat.st_mtim.tv_nsec;
}

class Templates : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto directory = testing::directory_on(GetParam());
    if (!directory) GTEST_SKIP() << testing::why_no_disk();
    root = *directory;
    world.environment["WORKTREE_ROOT"] = root.string();
    // An idle slot stays at the commit that it was left at.
    write_text(world.dir() / "config/wtpool/wtpoold.yaml", "follow_tip: false\n");
    world.start_daemon();
    write_text(repo.path() / ".gitignore", "*.o\nbuild/\nnode_modules/\n.env\nout/\n*.pem\n.venv/\nlogs/\n");
    repo.commit("package-lock.json", "one\n");
    repo.git({"add", ".gitignore"});
    repo.git({"commit", "-qm", "ignore"});
    world.init(repo, {"--max-slots", "4"});
  }
  void TearDown() override {
    if (root.empty()) return;
    (void)world.wtpool({"daemon", "stop"});
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  [[nodiscard]] std::string way() const { return std::string(GetParam()) == "btrfs" ? "snapshot" : "reflink"; }
  Outcome prepare(const std::string& script, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"prepare"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {"--", "sh", "-c", script});
    return world.wtpool(arguments);
  }
  // The slot that was prepared in is held, so that the next one is a fresh one.
  json acquire_fresh(const std::string& name, std::vector<std::string> more = {}) const {
    (void)world.wait_for_state("slot-0", "idle");
    if (!is_held_) world.acquire("holder");
    is_held_ = true;
    std::vector<std::string> arguments = {"acquire", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world.json_of(arguments);
  }
  static std::set<std::string> left_out(const json& list) {
    std::set<std::string> all;
    for (const auto& each : list) all.insert(each.at("path").get<std::string>() + " " + each.at("reason").get<std::string>());
    return all;
  }
  [[nodiscard]] json only_template() const {
    const json list = world.json_of({"template", "ls"});
    EXPECT_EQ(list.size(), 1u) << list;
    return list.empty() ? json::object() : list.front();
  }

  World world;
  Repo repo = world.make_repo();
  fs::path root;
  mutable bool is_held_ = false;
};
INSTANTIATE_TEST_SUITE_P(Disks, Templates, ::testing::Values("xfs", "btrfs"));

TEST_P(Templates, AFreshSlotIsWarmCleanAndUpToDateForMake) {
  const auto made =
      prepare("mkdir -p build node_modules/p && cc -c src/main.c -o build/main.o && echo x > node_modules/p/index.js");
  ASSERT_EQ(made.code, 0) << made;
  EXPECT_EQ(made.out, "");
  const json template_ = only_template();
  EXPECT_EQ(template_["create"], way());
  EXPECT_EQ(template_["commit"], repo.head());
  EXPECT_EQ(template_["carried"].size(), 2u);
  EXPECT_EQ(template_["carried"][1]["guards"], json({"package-lock.json"}));

  const json got = acquire_fresh("work");
  EXPECT_EQ(got["created"], way());
  EXPECT_EQ(got["fresh"], true);
  EXPECT_EQ(got["carried"]["files"], 2);
  EXPECT_EQ(got["left_out"], json::array());
  const fs::path slot = got["path"].get<std::string>();
  const fs::path first = root / "app/slot-0";
  EXPECT_EQ(git(slot, {"status", "--porcelain", "--branch"}), "## work");
  EXPECT_EQ(git(slot, {"diff-files", "--name-only"}), "");
  for (const auto* file : {"src/main.c", "build/main.o", "node_modules/p/index.js", "Makefile"})
    EXPECT_EQ(mtime_ns(slot / file), mtime_ns(first / file)) << file;
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  // What is changed in one is not changed in the other.
  write_text(slot / "build/main.o", "changed");
  EXPECT_NE(read_text(first / "build/main.o"), "changed");
  world.release("work");
  world.release("holder");
  EXPECT_EQ(repo.complaint(), "");
}

TEST_P(Templates, ACommitAwayExactlyWhatDiffersIsWrittenAndIsNewer) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/a.o").code, 0);
  const auto before = repo.head();
  repo.commit("src/main.c", "int main(void) { return 1; }\n");
  const json got = acquire_fresh("work");
  const fs::path slot = got["path"].get<std::string>();
  EXPECT_EQ(got["full_sha"], repo.head());
  EXPECT_NE(got["full_sha"], before);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_GT(mtime_ns(slot / "src/main.c"), mtime_ns(slot / "build/a.o"));
  EXPECT_LT(mtime_ns(slot / "Makefile"), mtime_ns(slot / "build/a.o"));
}

TEST_P(Templates, SecretsPathBoundDirectoriesAndWhatIsForeignAreLeftOutAndNamed) {
  const auto made = prepare(
      "echo s > .env && echo k > key.pem && mkdir -p build/sub .venv out/vendored/.git node_modules/p logs && echo c > "
      "build/sub/CMakeCache.txt && "
      "echo o > build/keep.o && echo v > .venv/pyvenv.cfg && mkfifo logs/pipe && echo l > logs/log && echo j > "
      "node_modules/p/credentials.js && "
      "echo u > untracked");
  ASSERT_EQ(made.code, 0) << made;
  const auto named = left_out(only_template()["left_out"]);
  for (const auto* expected : {".env secret", "key.pem secret", "build/sub path-bound", ".venv path-bound", "logs/pipe foreign",
                               "out/vendored foreign", "untracked untracked"})
    EXPECT_TRUE(named.contains(expected)) << expected << " is not in " << only_template()["left_out"];
  const fs::path slot = acquire_fresh("work")["path"].get<std::string>();
  for (const auto* absent : {".env", "key.pem", "build/sub", ".venv", "logs/pipe", "out/vendored", "untracked"})
    EXPECT_FALSE(fs::exists(slot / absent)) << absent;
  for (const auto* there : {"build/keep.o", "logs/log", "node_modules/p/credentials.js"})
    EXPECT_TRUE(fs::exists(slot / there)) << there;
}

TEST_P(Templates, WhatCarryNamesIsCarriedAndNothingElse) {
  const auto config = root / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "carry: [build/, .env]\ncarry_not: [build/doc/]\n");
  ASSERT_EQ(prepare("mkdir -p build/doc node_modules && echo o > build/o && echo d > build/doc/d && echo s > .env && echo n > "
                    "node_modules/n")
                .code,
            0);
  const fs::path slot = acquire_fresh("work")["path"].get<std::string>();
  EXPECT_TRUE(fs::exists(slot / "build/o") && fs::exists(slot / ".env"));
  EXPECT_FALSE(fs::exists(slot / "build/doc") || fs::exists(slot / "node_modules"));
}

TEST_P(Templates, ADirectoryWhoseLockfileChangedIsLeftOut) {
  ASSERT_EQ(prepare("mkdir -p node_modules build && echo n > node_modules/n && echo o > build/o").code, 0);
  repo.commit("package-lock.json", "two\n");
  const json got = acquire_fresh("work");
  EXPECT_EQ(left_out(got["left_out"]), std::set<std::string>{"node_modules guard"});
  const fs::path slot = got["path"].get<std::string>();
  EXPECT_FALSE(fs::exists(slot / "node_modules"));
  EXPECT_TRUE(fs::exists(slot / "build/o"));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_P(Templates, WhatChangedUnseenIsNeverFrozenAsClean) {
  // Other content of the same size, and the times put back.
  const auto made = prepare(
      "touch -r Makefile /tmp/stamp.$$ && tr a-z b-za < Makefile > build.tmp && cat build.tmp > Makefile && rm build.tmp && "
      "touch -r /tmp/stamp.$$ Makefile && rm /tmp/stamp.$$");
  EXPECT_EQ(made.code, 125) << made;
  EXPECT_EQ(world.json_of({"template", "ls"}), json::array());
}

TEST_P(Templates, ACommandThatFailsOrLeavesDirtLeavesTheOldTemplate) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  const json before = only_template();
  EXPECT_EQ(prepare("exit 3").code, 3);
  const auto dirty = prepare("echo changed >> Makefile");
  EXPECT_EQ(dirty.code, 125);
  EXPECT_NE(dirty.err.find("Makefile"), std::string::npos) << dirty.err;
  EXPECT_EQ(only_template()["id"], before["id"]);
  ASSERT_EQ(prepare("true").code, 0);
  EXPECT_NE(only_template()["id"], before["id"]);
  // Of the old one nothing is left.
  EXPECT_FALSE(fs::exists(root / "app/.meta/template" / before["id"].get<std::string>()));
  EXPECT_FALSE(repo.has_ref("refs/wtpool/template/" + before["id"].get<std::string>()));
}

TEST_P(Templates, AnIdleSlotIsFrozenWithoutACommand) {
  const auto slot = world.acquire("x");
  write_text(slot / "build/o", "output");
  world.release("x");
  ASSERT_EQ(world.wtpool({"prepare", "--slot", "slot-0"}).code, 0);
  EXPECT_EQ(only_template()["slot"], "slot-0");
  ASSERT_EQ(world.wtpool({"prepare"}).code, 0);
  EXPECT_EQ(read_text(fs::path(acquire_fresh("y")["path"].get<std::string>()) / "build/o"), "output");
  EXPECT_EQ(world.wtpool({"prepare", "--slot", "slot-0"}).code, 125);
}

TEST_P(Templates, DroppedItIsGoneAndSlotsAreCheckedOut) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  const std::string id = only_template()["id"];
  EXPECT_EQ(world.wtpool({"template", "drop", "nothing"}).code, 1);
  EXPECT_EQ(world.wtpool({"template", "drop", id}).code, 0);
  EXPECT_EQ(world.json_of({"template", "ls"}), json::array());
  EXPECT_FALSE(repo.has_ref("refs/wtpool/template/" + id));
  EXPECT_EQ(acquire_fresh("work")["created"], "checkout");
}

TEST_P(Templates, OneThatWasChangedIsUsedNoMore) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  const fs::path tree = root / "app/.meta/template" / only_template()["id"].get<std::string>() / "tree";
  if (way() == "snapshot") {
    ASSERT_EQ(::system(("btrfs property set -ts " + tree.string() + " ro false").c_str()), 0);
  }
  write_text(tree / "build/o", "x");
  ::sync();
  const json got = acquire_fresh("work");
  EXPECT_EQ(got["created"], "checkout");
  EXPECT_EQ(git(got["path"].get<std::string>(), {"status", "--porcelain"}), "");
  EXPECT_EQ(only_template()["damaged"], true);
}

TEST_P(Templates, OneWhoseIndexIsTornIsUsedNoMore) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  const fs::path index = root / "app/.meta/template" / only_template()["id"].get<std::string>() / "index";
  write_text(index, read_text(index).substr(0, 100));
  const json got = acquire_fresh("work");
  EXPECT_EQ(got["created"], "checkout");
  EXPECT_EQ(git(got["path"].get<std::string>(), {"status", "--porcelain"}), "");
}

TEST_P(Templates, ADaemonThatIsStartedAgainGoesOnWithThem) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  const std::string id = only_template()["id"];
  world.stop_daemon();
  fs::create_directories(root / "app/.meta/template/20200101T000000Z-12345678/tree");  // as a kill leaves one
  world.start_daemon();
  EXPECT_EQ(only_template()["id"], id);
  EXPECT_EQ(acquire_fresh("work")["created"], way());
}

TEST_P(Templates, AKillAnywhereInAFreezeLeavesTheOldTemplateAndNothingElse) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  for (const auto* place : {"template.pinned", "template.begun", "template.cloned", "template.synced"}) {
    SCOPED_TRACE(place);
    const json before = only_template();
    world.stop_daemon();
    world.environment["WTPOOL_FAILPOINT"] = std::string(place) + ":kill";
    world.start_daemon();
    ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
    EXPECT_NE(world.wtpool({"prepare", "--slot", "slot-0"}).code, 0);
    EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
    world.environment.erase("WTPOOL_FAILPOINT");
    world.start_daemon();
    EXPECT_EQ(only_template()["id"], before["id"]);
    EXPECT_TRUE(wait_until([&] { return std::distance(fs::directory_iterator(root / "app/.meta/template"), {}) == 1; }, 30s));
    EXPECT_EQ(repo.git({"for-each-ref", "--format=%(refname)", "refs/wtpool/template"}),
              "refs/wtpool/template/" + before["id"].get<std::string>());
  }
}

TEST_P(Templates, AKillAnywhereWhileASlotIsClonedLeavesAWholeSlotOrNone) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  world.acquire("holder");
  std::vector<std::string> places = {"acquire.fresh-marker-written", "create.index-written", "acquire.slot-filled"};
  if (way() == "snapshot") {
    places.insert(places.end(), {"create.snapshot-made", "create.exchanged"});
  } else {
    places.emplace_back("create.cloned");
  }
  for (const std::string& place : places) {
    SCOPED_TRACE(place);
    world.stop_daemon();
    world.environment["WTPOOL_FAILPOINT"] = place + ":kill";
    world.start_daemon();
    EXPECT_NE(world.wtpool({"acquire", "work"}).code, 0);
    EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
    world.environment.erase("WTPOOL_FAILPOINT");
    world.start_daemon();
    // Once its index is there it is whole, and stays as a warm idle slot.
    const bool whole = place == "create.index-written" || place == "acquire.slot-filled";
    if (whole) {
      EXPECT_TRUE(world.wait_for_state("slot-1", "idle"));
      EXPECT_EQ(read_text(root / "app/slot-1/build/o"), "o\n");
    } else {
      EXPECT_TRUE(wait_until([&] { return !fs::exists(root / "app/slot-1"); }, 30s));
    }
    EXPECT_TRUE(wait_until([&] { return !fs::exists(root / "app/.meta/new-slot-1"); }, 30s));
    EXPECT_FALSE(repo.has_branch("work"));
    const json got = world.json_of({"acquire", "work", "--wait=30s"});
    EXPECT_EQ(got["created"], whole ? json() : json(way()));
    EXPECT_EQ(git(got["path"].get<std::string>(), {"status", "--porcelain"}), "");
    world.release("work");
    EXPECT_EQ(world.wtpool({"remove", "slot-1"}).code, 0);
    EXPECT_EQ(repo.complaint(), "");
  }
}

TEST_P(Templates, AKillAnywhereInADropLeavesNothingOfIt) {
  for (const std::string place : {"template.dropped", "template.unrecorded", "template.unpinned"}) {
    SCOPED_TRACE(place);
    ASSERT_EQ(prepare("mkdir -p build && echo o > build/o").code, 0);
    const std::string id = only_template()["id"];
    world.stop_daemon();
    world.environment["WTPOOL_FAILPOINT"] = place + ":kill";
    world.start_daemon();
    EXPECT_NE(world.wtpool({"template", "drop", id}).code, 0);
    EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
    world.environment.erase("WTPOOL_FAILPOINT");
    world.start_daemon();
    EXPECT_EQ(world.json_of({"template", "ls"}), json::array());
    EXPECT_TRUE(wait_until([&] { return !fs::exists(root / "app/.meta/template" / id); }, 30s));
    EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/template"}), "");
  }
}

TEST_P(Templates, AKillOnceItIsRecordedLeavesTheNewOne) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  const std::string before = only_template()["id"];
  world.stop_daemon();
  world.environment["WTPOOL_FAILPOINT"] = "template.recorded:kill";
  world.start_daemon();
  ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  EXPECT_NE(world.wtpool({"prepare", "--slot", "slot-0"}).code, 0);
  EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
  world.environment.erase("WTPOOL_FAILPOINT");
  world.start_daemon();
  EXPECT_NE(only_template()["id"], before);
  EXPECT_TRUE(wait_until([&] { return !fs::exists(root / "app/.meta/template" / before); }, 30s));
  EXPECT_EQ(acquire_fresh("work")["created"], way());
}

TEST_P(Templates, SlotsThatAreMadeAheadAreMadeOfThemAndBroughtToTheTip) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  world.acquire("holder");
  repo.commit("src/main.c", "int main(void) { return 1; }\n");
  EXPECT_EQ(world.json_of({"warm", "1", "--wait"})["idle"], 1);
  const fs::path slot = root / "app/slot-1";
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  EXPECT_EQ(git(slot, {"status", "--porcelain", "--branch"}), "## HEAD (no branch)");
  EXPECT_EQ(read_text(slot / "build/o"), "o\n");
  EXPECT_LT(mtime_ns(slot / "Makefile"), mtime_ns(slot / "build/o"));
  const json got = world.json_of({"acquire", "work"});
  EXPECT_EQ(got["slot"], "slot-1");
  EXPECT_EQ(got["created"], nullptr);
  EXPECT_EQ(got["reused_commit"], true);
}

TEST_P(Templates, AWarmSlotSaysWhatIsStale) {
  const auto slot = world.acquire("x");
  write_text(slot / "node_modules/n", "old\n");
  world.release("x");
  repo.commit("package-lock.json", "two\n");
  const json got = world.json_of({"acquire", "y"});
  EXPECT_EQ(got["created"], nullptr);
  EXPECT_EQ(got["stale"], json({"node_modules"}));
  EXPECT_EQ(read_text(slot / "node_modules/n"), "old\n");
  world.release("y");
  EXPECT_EQ(world.json_of({"acquire", "z"})["stale"], json::array());
}

TEST_P(Templates, RestockReplacesWhatIsStaleByTheTemplates) {
  // Idle slot-1 stands at the first lockfile, the template is of the second.
  world.acquire("a");
  const fs::path slot = world.acquire("b");
  write_text(slot / "web/node_modules/n", "old nested\n");
  write_text(slot / "node_modules/n", "old\n");
  write_text(slot / "build/o", "of slot-1\n");
  world.release("b");
  repo.commit("package-lock.json", "two\n");
  world.release("a");
  ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  ASSERT_EQ(prepare("mkdir -p node_modules && echo new > node_modules/n", {"--slot", "slot-0"}).code, 0);
  ASSERT_EQ(only_template()["slot"], "slot-0");
  ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  world.acquire("holder");  // at the tip already: the nearest
  const json got = world.json_of({"acquire", "y", "--restock"});
  EXPECT_EQ(got["slot"], "slot-1");
  EXPECT_EQ(read_text(slot / "node_modules/n"), "new\n");
  EXPECT_EQ(read_text(slot / "build/o"), "of slot-1\n");
  EXPECT_EQ(got["stale"], json({"web/node_modules"}));  // the template has none
  EXPECT_EQ(got["carried"]["files"], 1);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_FALSE(fs::exists(slot / ".wtpool-restock"));
}

TEST_P(Templates, RestockLeavesWhatTheTemplateIsStaleForToo) {
  ASSERT_EQ(prepare("mkdir -p node_modules && echo first > node_modules/n").code, 0);
  ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
  repo.commit("package-lock.json", "two\n");
  const json got = world.json_of({"acquire", "y", "--restock"});
  EXPECT_EQ(got["stale"], json({"node_modules"}));
  EXPECT_EQ(read_text(fs::path(got["path"].get<std::string>()) / "node_modules/n"), "first\n");
}

TEST_P(Templates, AKillAnywhereInARestockLeavesThePathWholeOrAbsent) {
  ASSERT_EQ(prepare("mkdir -p node_modules && echo first > node_modules/n").code, 0);
  for (const std::string place : {"restock.cloned", "restock.old-aside", "restock.replaced"}) {
    SCOPED_TRACE(place);
    const auto base = repo.head();
    repo.commit("package-lock.json", place + "\n");
    ASSERT_EQ(prepare("mkdir -p node_modules && echo new > node_modules/n", {"--slot", "slot-0"}).code, 0);
    ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
    ASSERT_EQ(world.wtpool({"acquire", "back", "--commit", base}).code, 0);
    world.release("back");
    ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
    world.stop_daemon();
    world.environment["WTPOOL_FAILPOINT"] = place + ":kill";
    world.start_daemon();
    EXPECT_NE(world.wtpool({"acquire", "work", "--restock"}).code, 0);
    EXPECT_EQ(world.daemon().wait(30s).code, 128 + SIGKILL);
    world.environment.erase("WTPOOL_FAILPOINT");
    world.start_daemon();
    const fs::path slot = root / "app/slot-0";
    ASSERT_TRUE(world.wait_for_state("slot-0", "idle"));
    EXPECT_FALSE(fs::exists(slot / ".wtpool-restock"));
    EXPECT_TRUE(!fs::exists(slot / "node_modules") || read_text(slot / "node_modules/n") == "new\n");
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    EXPECT_FALSE(repo.has_branch("work"));
    EXPECT_EQ(repo.complaint(), "");
  }
}

TEST_P(Templates, SlotsOfThemAreReleasedUsedAgainAndRemoved) {
  ASSERT_EQ(prepare("mkdir build && echo o > build/o").code, 0);
  const fs::path slot = acquire_fresh("work")["path"].get<std::string>();
  write_text(slot / "new", "work of mine\n");
  write_text(slot / "Makefile", "changed\n");
  world.release("work");
  EXPECT_EQ(world.state_of("slot-1"), "idle");
  EXPECT_EQ(repo.trash_refs().size(), 1u);
  const auto again = world.acquire("again");
  EXPECT_EQ(again, slot);
  world.release("again");
  world.release("holder");
  EXPECT_EQ(world.wtpool({"remove", "slot-1"}).code, 0);
  EXPECT_FALSE(fs::exists(slot));
  EXPECT_EQ(world.wtpool({"remove", "--pool", "app"}).code, 0);
  EXPECT_EQ(repo.git({"for-each-ref", "refs/wtpool/template"}), "");
  EXPECT_EQ(repo.complaint(), "");
}

TEST(Template, IsRefusedBeforeTheCommandWhereTheDiskCannotClone) {
  World world;
  world.environment["WORKTREE_ROOT"] = world.root().string();
  world.start_daemon();
  const Repo repo = world.make_repo();
  world.init(repo);
  const auto config = world.root() / "app/.meta/config.yaml";
  write_text(config, read_text(config) + "create: checkout\n");
  const auto refused = world.wtpool({"prepare", "--", "sh", "-c", "touch " + (world.dir() / "ran").string()});
  EXPECT_EQ(refused.code, 125);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("create: auto"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(world.dir() / "ran"));
  EXPECT_EQ(world.json_of({"acquire", "x"})["created"], "checkout");
}

}  // namespace
}  // namespace wtpool::test
