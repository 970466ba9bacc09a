// What the end of a lease does to refs.
#include "tests/unit/jobs/bench.hpp"

namespace wtpool::jobs {
namespace {

class Release : public Bench {
 protected:
  core::done::Released release(const core::Lease& lease, core::Dirty dirty = core::Dirty::save) {
    core::job::Release spec;
    spec.lease = lease;
    spec.dirty = dirty;
    return must<core::done::Released>(spec);
  }
  [[nodiscard]] std::string branch(const std::string& name) const {
    return sh(source_dir, "git for-each-ref --format='%(objectname)' 'refs/heads/" + name + "'");
  }
  std::string commit(const std::string& text) {
    write(slot_path() / "file", text);
    sh(slot_path(), "git commit -qam '" + text + "'");
    return sh(slot_path(), "git rev-parse HEAD");
  }
};

TEST_F(Release, TakesTheBranchThatTheLeaseMadeAndKeepsItsCommits) {
  const auto lease = hold("x");
  commit("mine");
  EXPECT_TRUE(release(lease).moved);
  EXPECT_EQ(branch("x"), "");
  EXPECT_NE(refs().find("/heads/x"), std::string::npos) << refs();
}

TEST_F(Release, LeavesABranchThatWasThereBeforeAtItsTip) {
  auto lease = hold("x");
  lease.branch_base.reset();
  const auto tip = commit("gone on with");
  const auto released = release(lease);
  EXPECT_EQ(branch("x"), tip);
  EXPECT_FALSE(released.kept);
  EXPECT_EQ(refs(), "");
  EXPECT_EQ(sh(slot_path(), "git rev-parse --abbrev-ref HEAD"), "HEAD");
}

TEST_F(Release, LeavesAnyBranchAtItsTipWhereThatIsAskedFor) {
  auto lease = hold("x");
  lease.keep_branch = true;
  const auto tip = commit("to stay");
  (void)release(lease);
  EXPECT_EQ(branch("x"), tip);
  EXPECT_EQ(refs(), "");
}

TEST_F(Release, KeepsAHeadThatStandsElsewhereBesideABranchThatStays) {
  auto lease = hold("x");
  lease.branch_base.reset();
  sh(slot_path(), "git checkout -q --detach");
  const auto lone = commit("on no branch");
  const auto released = release(lease);
  EXPECT_TRUE(released.kept);
  EXPECT_NE(sh(source_dir, "git for-each-ref --contains " + lone + " refs/wtpool"), "");
  EXPECT_EQ(branch("x"), id("main").str());
}

TEST_F(Release, ConfigurationOfABranchThatStaysIsNotTakenOut) {
  auto lease = hold("x");
  lease.branch_base.reset();
  sh(source_dir, "git config branch.x.remote elsewhere");
  const auto released = release(lease);
  (void)must<core::done::Idle>(core::job::Recycle{lease, core::Dirty::save, released.trash_id});
  EXPECT_EQ(sh(source_dir, "git config branch.x.remote"), "elsewhere");
}

}  // namespace
}  // namespace wtpool::jobs
