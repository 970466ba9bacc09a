// A job on a real repository, with a pool and a slot of its own, and no daemon.
#pragma once

#include "daemon/disk/marker.hpp"
#include "daemon/disk/running_time.hpp"
#include "daemon/jobs/run/run_job.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::jobs {

namespace fs = std::filesystem;

class Bench : public git::GitRoom {
 protected:
  void SetUp() override {
    GitRoom::SetUp();
    make_source();
    serve({});
  }
  void serve(core::PoolConfig config) {
    auto made = std::make_shared<ServedPool>(
        ServedPool{PoolKey("pool"), disk::PoolFiles(root / "pool"), std::move(config), {}, {}, nullptr, nullptr});
    made->place.root = (root / "pool").string();
    made->place.source = SourceId(common);
    made->source.common_dir = common;
    fs::create_directories(made->files.init_dir());
    served = made;
    pools.put(made);
  }
  JobContext job_in(const std::string& slot = "slot-0") {
    JobContext job;
    job.grant.pool = PoolKey("pool");
    job.grant.slot = SlotId(slot);
    job.grant.git_id = slot;
    job.pools = &pools;
    job.pool = served;
    job.seals = &book;
    job.report = [](const core::Event&) {};
    return job;
  }
  core::JobOutcome run(core::JobSpec spec) {
    JobContext job = job_in();
    return run_job(job, std::move(spec));
  }
  template <class Done>
  Done must(core::JobSpec spec) {
    const auto outcome = run(std::move(spec));
    if (const auto* failed = std::get_if<core::JobFailed>(&outcome)) ADD_FAILURE() << failed->error.message;
    const auto* done = std::get_if<core::JobDone>(&outcome);
    const Done* wanted = done == nullptr ? nullptr : std::get_if<Done>(done);
    EXPECT_NE(wanted, nullptr);
    return wanted == nullptr ? Done{} : *wanted;
  }
  // Under NAME on its branch, at HEAD of the source, as an acquire leaves it.
  core::Lease hold(const std::string& name, const std::string& slot_id = "slot-0") {
    const git::Git git = ready_slot(slot_id);
    git::switch_to_new(git, name, id("HEAD"));
    core::Lease lease;
    lease.id = LeaseId("0123456789abcdef0123456789abcdef");
    lease.name = name;
    lease.full_sha = id("HEAD");
    lease.branch_base = lease.full_sha;
    return lease;
  }
  std::string refs() const { return sh(source_dir, "git for-each-ref --format='%(refname)' refs/wtpool"); }

  ServedPools pools;
  SealBook book;
  std::shared_ptr<const ServedPool> served;
};

}  // namespace wtpool::jobs
