// Sources from a URL: mirrors that wtpool keeps, over the transports that git has.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

class Sources : public ::testing::Test {
 protected:
  Sources() : repo(world.make_repo("work")), remote(Repo::make_bare(world.dir() / "app.git", repo)) {
    repo.git({"remote", "add", "origin", remote.path().string()});
    repo.git({"fetch", "-q", "origin"});
    world.start_daemon();
  }
  std::string url() const { return "file://" + remote.path().string(); }
  std::string push(const std::string& text, const std::string& branch = "main") const {
    const std::string id = repo.commit("pushed.txt", text);
    repo.git({"push", "-q", "origin", "HEAD:refs/heads/" + branch});
    return id;
  }
  void init_url(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"init", "--source", url()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = world.wtpool(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_EQ(outcome.out, "");
  }
  void configure(const std::string& lines) const {
    const auto file = world.root() / "app/.meta/config.yaml";
    write_text(file, read_text(file) + lines);
  }
  fs::path mirror() const {
    for (const auto& entry : fs::directory_iterator(world.root() / ".sources")) {
      if (entry.path().extension() == ".git") return entry.path();
    }
    return {};
  }
  static bool says(const Outcome& outcome, const std::string& words) { return outcome.err.find(words) != std::string::npos; }

  World world;
  Repo repo;
  Repo remote;
};

TEST_F(Sources, AUrlIsMirroredAndServed) {
  init_url();
  const auto hash = git(world.dir(), {"hash-object", "--stdin"}, url());
  EXPECT_EQ(mirror().filename(), "app-" + hash.substr(0, 12) + ".git");
  const auto pools = world.json_of({"pools"});
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(pools[0]["pool"], "app");
  EXPECT_EQ(pools[0]["url"], url());
  EXPECT_EQ(pools[0]["managed"], true);
  EXPECT_TRUE(pools[0]["fetched_at"].is_string()) << pools[0];
  const auto slot = world.acquire("x");
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  world.release("x");
}

TEST_F(Sources, ASecondPoolOfOneUrlSharesTheMirrorAndItsNames) {
  init_url();
  init_url({"--pool", "second"});
  EXPECT_EQ(std::distance(fs::directory_iterator(world.root() / ".sources"), fs::directory_iterator{}), 1);
  world.acquire("x", {"--pool", "app"});
  const auto outcome = world.wtpool({"acquire", "x", "--pool", "second"});
  EXPECT_EQ(outcome.code, 9) << outcome;
  EXPECT_TRUE(says(outcome, "pool 'app'")) << outcome;
}

TEST_F(Sources, ANewCommitIsFetchedByItsIdByItsBranchAndByItsFullName) {
  init_url();
  const auto one = push("one");
  EXPECT_EQ(git(world.acquire("by-id", {"--commit", one}), {"rev-parse", "HEAD"}), one);
  const auto two = push("two", "topic");
  EXPECT_EQ(git(world.acquire("by-name", {"--commit", "topic"}), {"rev-parse", "HEAD"}), two);
  const auto three = repo.commit("pushed.txt", "three");
  repo.git({"push", "-q", "origin", "HEAD:refs/pull/7/head"});
  EXPECT_EQ(git(world.acquire("by-ref", {"--commit", "refs/pull/7/head"}), {"rev-parse", "HEAD"}), three);
  EXPECT_EQ(git(mirror(), {"rev-parse", "refs/wtpool/fetched/refs/pull/7/head"}), three);
  repo.git({"tag", "v9"});
  repo.git({"push", "-q", "origin", "v9"});
  EXPECT_EQ(git(world.acquire("by-tag", {"--commit", "v9"}), {"rev-parse", "HEAD"}), three);
}

TEST_F(Sources, FetchBringsWhatWasPushedBeforeItWasAskedFor) {
  init_url();
  const auto before = repo.head();
  const auto pushed = push("new");
  EXPECT_EQ(git(world.acquire("old"), {"rev-parse", "HEAD"}), before) << "on-miss: it is known";
  const auto acquired = world.json_of({"acquire", "new", "--fetch"});
  EXPECT_EQ(acquired["full_sha"], pushed);
  EXPECT_TRUE(acquired["fetched_at"].is_string());
}

TEST_F(Sources, AReferenceIsOfUseWhileTheMirrorIsMade) {
  const Repo near = Repo::clone(world.dir() / "near", repo);
  init_url({"--reference", near.path().string()});
  fs::remove_all(near.path());
  EXPECT_EQ(try_git(mirror(), {"fsck", "--connectivity-only"}).code, 0);
  EXPECT_FALSE(fs::exists(mirror() / "objects/info/alternates"));
}

TEST_F(Sources, EachFaultHasItsOwnErrorAndNoPasswordIsShown) {
  auto outcome = world.wtpool({"init", "--source", "https://me:secret@127.0.0.1:1/x.git"});
  EXPECT_EQ(outcome.code, 2) << outcome;
  EXPECT_FALSE(says(outcome, "secret")) << outcome;
  outcome = world.wtpool({"init", "--source", "file:///nowhere/x.git"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_TRUE(says(outcome, "cannot fetch from file:///nowhere/x.git")) << outcome;
  EXPECT_TRUE(says(outcome, "hint: git ls-remote file:///nowhere/x.git")) << outcome;
  outcome = world.wtpool({"init", "--source", "http://127.0.0.1:1/x.git"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_TRUE(says(outcome, "cannot fetch from http://127.0.0.1:1/x.git")) << outcome;
  EXPECT_TRUE(fs::is_empty(world.root() / ".sources"));
  EXPECT_EQ(world.json_of({"pools"}).size(), 0u);
}

TEST_F(Sources, ARemoteThatIsGoneStopsNobodyWhoseCommitIsKnown) {
  init_url();
  fs::rename(remote.path(), world.dir() / "moved.git");
  world.acquire("known");
  const auto outcome = world.wtpool({"acquire", "x", "--commit", "unknown"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_TRUE(says(outcome, "cannot resolve 'unknown'")) << outcome;
  EXPECT_TRUE(says(outcome, "cannot fetch from " + url())) << outcome;
  const auto warned = world.wtpool({"acquire", "y", "--fetch"});
  EXPECT_EQ(warned.code, 0) << warned;
  EXPECT_TRUE(says(warned, "what it has already is used")) << warned;
}

TEST_F(Sources, ASlowRemoteIsEndedWithinItsTime) {
  init_url();
  // The remote's program waits until it is told to go on.
  const fs::path gate = world.dir() / "gate";
  write_text(world.dir() / "slow-upload-pack", "#!/bin/sh\necho x >>'" + (world.dir() / "began").string() + "'\nwhile [ -e '" +
                                                   gate.string() + "' ]; do sleep 0.02; done\nexec git-upload-pack \"$@\"\n");
  fs::permissions(world.dir() / "slow-upload-pack", fs::perms::owner_all);
  git(mirror(), {"config", "remote.origin.uploadpack", (world.dir() / "slow-upload-pack").string()});
  configure("fetch_timeout: 1s\n");
  write_text(gate, "");
  const auto outcome = world.wtpool({"acquire", "x", "--commit", "nowhere"});
  EXPECT_EQ(outcome.code, 1) << outcome;
  EXPECT_TRUE(says(outcome, "it did not answer in time")) << outcome;
  fs::remove(gate);
}

TEST_F(Sources, OneFetchServesManyWhoWantOneNewCommit) {
  init_url();
  const fs::path log = world.dir() / "fetches";
  write_text(world.dir() / "counting-upload-pack", "#!/bin/sh\necho x >>'" + log.string() + "'\nexec git-upload-pack \"$@\"\n");
  fs::permissions(world.dir() / "counting-upload-pack", fs::perms::owner_all);
  git(mirror(), {"config", "remote.origin.uploadpack", (world.dir() / "counting-upload-pack").string()});
  const auto wanted = push("new");
  std::vector<Process> clients;
  clients.reserve(8);
  for (int i = 0; i < 8; ++i) clients.push_back(world.start_wtpool({"acquire", "n" + std::to_string(i), "--commit", wanted}));
  for (auto& client : clients) EXPECT_EQ(client.wait().code, 0);
  EXPECT_EQ(lines_of(read_text(log)).size(), 1u);
}

TEST_F(Sources, WhatAKilledDaemonWasMakingIsTakenAway) {
  init_url();
  fs::create_directories(world.root() / ".sources/.new-1-0/objects");
  world.stop_daemon();
  world.start_daemon();
  EXPECT_FALSE(fs::exists(world.root() / ".sources/.new-1-0"));
  world.acquire("x");
}

}  // namespace
}  // namespace wtpool::test
