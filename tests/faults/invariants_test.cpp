// The checker itself: it is silent where all is well, and speaks of each thing that is not.
#include "tests/faults/invariants.hpp"

#include <gtest/gtest.h>

namespace wtpool::test {
namespace {

class Invariants : public ::testing::Test {
 protected:
  void SetUp() override {
    world.start_daemon();
    world.init(repo);
  }
  void acquire(const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"acquire", name});
    ledger.asked(name);
    ledger.acknowledged(name, world.json_of(more));
  }
  [[nodiscard]] fs::path slot(const std::string& name) const { return ledger.stories().at(name).path; }
  [[nodiscard]] std::string found() const { return said(violations(observed)); }
  // Each violation begins with its number.
  void expect_found(const std::string& beginning) const {
    const auto text = found();
    EXPECT_NE(("\n" + text).find("\n" + beginning), std::string::npos) << "looked for: " << beginning << "\nfound:\n" << text;
  }
  World world;
  Repo repo = world.make_repo();
  Before before = Before::of(repo);
  Ledger ledger;
  Observed observed{world, repo, before, ledger};
};

TEST_F(Invariants, HoldWhereNothingIsWrong) {
  acquire("x");
  acquire("y", {"--ttl", "1h"});
  ledger.committed("x", Repo(slot("x")).commit("work.txt", "work of x\n"));
  write_text(slot("y") / "README.md", "dirt of y\n");
  ledger.wrote("y", "README.md", "dirt of y\n");
  EXPECT_EQ(found(), "");
  for (const auto* name : {"x", "y"}) {
    ledger.leaving(name);
    world.release(name);
    ledger.left(name);
  }
  EXPECT_EQ(said(violations_over_restart(world, observed)), "");
}

TEST_F(Invariants, TellOfALostLease) {
  acquire("x");
  world.release("x");
  expect_found("3: lease ");
}

TEST_F(Invariants, TellOfALeaseThatNobodyHas) {
  acquire("x");
  ledger.left("x");
  expect_found("3: slot-0 is held as x");
}

TEST_F(Invariants, TellOfAMarkerThatIsNotWhatMemoryIs) {
  acquire("x");
  auto marker = read_text(marker_of(slot("x")));
  marker.replace(marker.find("lease_kind: durable"), 19, "lease_kind: process");
  // The daemon reads the slot once more after its client has gone, and mends what it finds.
  const auto harmed = [&](const std::function<void()>& harm, const std::string& beginning) {
    return wait_until([&] {
      harm();
      return ("\n" + found()).find("\n" + beginning) != std::string::npos;
    });
  };
  EXPECT_TRUE(harmed([&] { write_text(marker_of(slot("x")), marker); }, "2: slot-0: the kind"));
  EXPECT_TRUE(harmed([&] { fs::remove(marker_of(slot("x"))); }, "2: slot-0 is held, and has no marker"));
}

TEST_F(Invariants, TellOfALostCommit) {
  acquire("x");
  ledger.committed("x", Repo(slot("x")).commit("work.txt", "work of x\n"));
  ledger.leaving("x");
  world.release("x");
  ledger.left("x");
  ASSERT_EQ(found(), "");
  for (const auto& ref : repo.trash_refs()) repo.git({"update-ref", "-d", ref});
  expect_found("4: commit ");
}

TEST_F(Invariants, TellOfALostFile) {
  acquire("x");
  write_text(slot("x") / "README.md", "dirt of x\n");
  ledger.wrote("x", "README.md", "dirt of x\n");
  ledger.leaving("x");
  world.release("x");
  ledger.left("x");
  ASSERT_EQ(found(), "");
  for (const auto& ref : repo.trash_refs()) repo.git({"update-ref", "-d", ref});
  expect_found("5: content 'dirt of x'");
}

TEST_F(Invariants, TellOfWhatIsNotAsItWasInTheSource) {
  acquire("x");
  repo.git({"branch", "somebody"});
  expect_found("6: ref refs/heads/somebody is new");
  repo.git({"branch", "-D", "somebody"});
  repo.git({"config", "branch.x.remote", "origin"});
  expect_found("6: file config");
}

TEST_F(Invariants, TellOfASourceThatGitCannotUse) {
  acquire("x");
  write_text(repo.path() / ".git/packed-refs.lock", "");
  expect_found("7: git branch");
  fs::remove(repo.path() / ".git/packed-refs.lock");
  write_text(repo.path() / ".git/worktrees/torn/commondir", "");
  write_text(repo.path() / ".git/worktrees/torn/gitdir", (world.root() / "app/slot-1/.git").string() + "\n");
  expect_found("7: git worktree list");
}

}  // namespace
}  // namespace wtpool::test
