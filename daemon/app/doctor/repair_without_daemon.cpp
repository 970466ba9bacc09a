#include "daemon/app/doctor/repair_without_daemon.hpp"

#include <unistd.h>

#include "common/base/clock.hpp"
#include "daemon/core/rules/reconcile.hpp"
#include "daemon/jobs/run/run_job.hpp"

namespace wtpool::app {
namespace {

constexpr std::chrono::seconds kOrphanPatience{10};
constexpr useconds_t kLookAgain = 200'000;

class PoolRepair {
 public:
  PoolRepair(const CheckFacts& facts, const std::string& key) : key_(key) {
    context_.host.pools_root = facts.root.string();
    context_.pools = &pools_;
    context_.report = [](const core::Event&) {};
  }

  std::vector<proto::DoctorCheck> run() {
    const auto loaded = job({}, core::job::LoadPool{key_});
    if (const auto* failed = std::get_if<core::JobFailed>(&loaded)) {
      left("it", failed->error);
      return std::move(did_);
    }
    core::job::Heal heal{key_, {}};
    for (const auto& facts : std::get<core::done::LoadedPool>(std::get<core::JobDone>(loaded)).slots) {
      const auto action = core::reconcile(core::classify(facts), core::Holds::unknown);
      if (action == core::Action::recover) recover(facts);
      if (action != core::Action::adopt) heal.slots.push_back(facts.slot);
    }
    note(job({}, heal));
    note(job({}, core::job::HealLocks{key_}));
    return std::move(did_);
  }

 private:
  core::JobOutcome job(const SlotId& slot, const core::JobSpec& spec) {
    jobs::JobContext context = context_;
    context.grant.job = JobId(++last_job_);
    context.grant.pool = key_;
    context.grant.slot = slot;
    context.grant.source_writer = true;
    if (const auto pool = pools_.find(key_)) context.grant.source = pool->place.source;
    return jobs::run_job(context, spec);
  }

  // What still works in the slot gets its time, as from a daemon.
  void recover(const core::SlotFacts& facts) {
    const auto patience = awake_now() + kOrphanPatience;
    for (bool ended = false;;) {
      const bool end_orphan = awake_now() >= patience;
      const auto outcome = job(facts.slot, core::job::Recover{facts, end_orphan});
      const auto* failed = std::get_if<core::JobFailed>(&outcome);
      if (failed == nullptr) return recovered(facts, std::get<core::JobDone>(outcome));
      if (failed->fault != core::Fault::slot_busy || ended) return left(facts.slot.str(), failed->error);
      ended = end_orphan;
      ::usleep(kLookAgain);
    }
  }

  void recovered(const core::SlotFacts& facts, const core::JobDone& done) {
    const bool finished = facts.marker && facts.marker->state == core::MarkerState::releasing;
    std::string text = std::string(finished ? "finished the release of " : "undid the acquire in ") + facts.slot.str();
    const auto* idle = std::get_if<core::done::Idle>(&done);
    const auto* fresh = std::get_if<core::done::Fresh>(&done);
    const auto kept = idle != nullptr ? idle->kept : fresh != nullptr ? fresh->kept : std::nullopt;
    if (kept) text += "; work is kept as " + *kept;
    did_.push_back({"repair", "ok", "pool " + key_.str() + ": " + text, {}});
  }

  void note(const core::JobOutcome& outcome) {
    if (const auto* failed = std::get_if<core::JobFailed>(&outcome)) return left("it", failed->error);
    const auto& healed = std::get<core::done::Healed>(std::get<core::JobDone>(outcome));
    did_.insert(did_.end(), healed.did.begin(), healed.did.end());
  }

  void left(const std::string& what, const proto::Error& why) {
    did_.push_back({"repair", "warn", "pool " + key_.str() + ": " + what + " is left as it is: " + why.message,
                    why.hint.empty() ? std::nullopt : std::optional(why.hint)});
  }

  PoolKey key_;
  jobs::ServedPools pools_;
  jobs::JobContext context_;
  std::uint64_t last_job_ = 0;
  std::vector<proto::DoctorCheck> did_;
};

}  // namespace

std::vector<std::string> plan_repair(const CheckFacts& facts) {
  std::vector<std::string> plan;
  for (const auto& directory : pools_of(facts)) {
    const std::string key = directory.filename().string();
    try {
      const auto pool = view(key, directory);
      for (const auto& finding : jobs::examine(*pool, served(*pool))) {
        if (!finding.remedy.empty()) plan.push_back("plan: pool " + key + ": " + finding.what + ": " + finding.remedy);
      }
    } catch (const proto::Error&) {
      continue;  // the checks say so
    }
  }
  if (plan.empty()) plan.emplace_back("plan: there is nothing to repair");
  return plan;
}

std::vector<proto::DoctorCheck> repair_here(const CheckFacts& facts) {
  std::vector<proto::DoctorCheck> did;
  for (const auto& directory : pools_of(facts)) {
    const auto more = PoolRepair(facts, directory.filename().string()).run();
    did.insert(did.end(), more.begin(), more.end());
  }
  return did;
}

}  // namespace wtpool::app
