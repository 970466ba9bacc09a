// Which repository a pool's slots are of, at a start.
#include "tests/unit/jobs/bench.hpp"

namespace wtpool::jobs {
namespace {

class Load : public Bench {
 protected:
  void SetUp() override {
    Bench::SetUp();
    pool_ = root / "pools/app";
    write(pool_ / ".meta/config.yaml", "schema_version: 1\nsource: " + source_dir.string() + "\nmax_slots: 1\n");
    sh(source_dir, "git worktree add -q --detach --lock '" + (pool_ / "slot-0").string() + "'");
  }
  // As a daemon does that has just been started.
  core::JobOutcome load() {
    ServedPools nothing_yet;
    JobContext job = job_in();
    job.grant.pool = PoolKey("app");
    job.pools = &nothing_yet;
    job.pool = nullptr;
    job.host.pools_root = (root / "pools").string();
    return run_job(job, core::job::LoadPool{PoolKey("app")});
  }
  std::size_t slots_of(const core::JobOutcome& outcome) {
    const auto* done = std::get_if<core::JobDone>(&outcome);
    const auto* loaded = done == nullptr ? nullptr : std::get_if<core::done::LoadedPool>(done);
    return loaded == nullptr ? 0 : loaded->slots.size();
  }
  std::string why(const core::JobOutcome& outcome) {
    const auto* failed = std::get_if<core::JobFailed>(&outcome);
    return failed == nullptr ? "" : failed->error.message;
  }
  fs::path pool_;
};

TEST_F(Load, AnotherRepositoryAtTheSourcesPathIsNotTakenForIt) {
  ASSERT_EQ(slots_of(load()), 1u);
  fs::rename(source_dir, root / "away");
  sh(root, "git init -q source && cd source && git commit -q --allow-empty -m other");
  EXPECT_NE(why(load()).find("another repository stands there"), std::string::npos) << why(load());
  fs::remove_all(source_dir);
  fs::rename(root / "away", source_dir);
  EXPECT_EQ(slots_of(load()), 1u);
}

TEST_F(Load, AConfigThatNamesAnotherRepositoryDissolvesNothing) {
  ASSERT_EQ(slots_of(load()), 1u);
  sh(root, "git init -q other && cd other && git commit -q --allow-empty -m other");
  const std::string config = read(pool_ / ".meta/config.yaml");
  write(pool_ / ".meta/config.yaml", "schema_version: 1\nsource: " + (root / "other").string() + "\nmax_slots: 1\n");
  EXPECT_NE(why(load()).find("slot-0 is a worktree of"), std::string::npos) << why(load());
  write(pool_ / ".meta/config.yaml", config);
  EXPECT_EQ(slots_of(load()), 1u);
}

TEST_F(Load, ASourceThatWasCopiedBackIsTheSame) {
  ASSERT_EQ(slots_of(load()), 1u);
  sh(root, "cp -a source copy && rm -rf source && mv copy source");
  EXPECT_EQ(slots_of(load()), 1u) << why(load());
}

}  // namespace
}  // namespace wtpool::jobs
