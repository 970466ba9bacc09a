#include <algorithm>
#include <chrono>
#include <thread>

#include "common/base/names.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/tasks/land/land.hpp"
#include "daemon/jobs/tasks/land/steps.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {

namespace {

// A landing that a kill cut off may be finished by somebody else this very moment: what it left looks like a change until then.
void let_others_finish(const JobContext& job, const SlotId& slot) {
  constexpr std::chrono::seconds kPatience{5};
  constexpr std::chrono::milliseconds kLookAgain{20};
  const auto until = std::chrono::steady_clock::now() + kPatience;
  const auto left = [&] {
    const auto slots = finish_landings(job);
    return std::find(slots.begin(), slots.end(), slot.str()) != slots.end();
  };
  while (left() && std::chrono::steady_clock::now() < until) {
    job.check_stop();
    std::this_thread::sleep_for(kLookAgain);
  }
}

}  // namespace

core::JobDone look_at_landing(JobContext& job, const core::job::LookAtLanding& spec) {
  core::done::LandingLooked looked{spec.landing};
  core::job::Landing& landing = looked.landing;
  let_others_finish(job, landing.slot);
  const auto directory = job.pool->files.slot(landing.slot);
  if (const auto why = git::disproof_of_place(job.pool->place.source.str(), landing.git_id, directory))
    fail(core::Fault::source_fault, core::ErrorKind::blocked, "cannot land " + landing.lease.name + ": " + *why,
         "wtpool doctor");
  const git::Git slot({job.entry(landing.git_id).entry.string(), directory.string(), job.pool->place.source.str()},
                      job.git_context(nullptr));
  if (const std::string why = why_dirty(job, slot, landing.slot, landing.git_id); !why.empty()) {
    fail(core::Fault::source_fault, core::ErrorKind::dirty,
         "cannot land " + landing.lease.name + ": " + landing.slot.str() + " is not committed: " + why,
         "git -C " + proto::shell_word(directory.string()) + " status");
  }
  const auto head = git::read_head(job.pool->place.source.str(), landing.git_id);
  if (!head.oid)
    fail(core::Fault::source_fault, core::ErrorKind::blocked, "cannot land " + landing.lease.name + ": its HEAD leads nowhere");
  landing.tip = *head.oid;
  landing.target = target_of(job, spec.into);
  (void)(landing.push ? fetched_stand_of(job, landing.target) : stand_of(job, landing.target));
  return looked;
}

}  // namespace wtpool::jobs
