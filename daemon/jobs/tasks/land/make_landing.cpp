#include <algorithm>

#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/source/durable_objects.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/merging.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/tasks/land/land.hpp"
#include "daemon/jobs/tasks/land/steps.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

core::Error conflict(const JobContext& job, const core::job::Landing& landing, const Oid& base,
                     const std::vector<git::Conflict>& conflicts) {
  core::Error error(core::ErrorKind::conflict,
                    "cannot land " + landing.lease.name + " on " + landing.target + ": they do not go together in " +
                        std::to_string(conflicts.size()) + (conflicts.size() == 1 ? " file" : " files"),
                    "git -C " + proto::shell_word(job.pool->files.slot(landing.slot).string()) +
                        (landing.style == proto::LandStyle::rebase ? " rebase " : " merge ") + base.str().substr(0, 12));
  error.name = landing.lease.name;
  for (const git::Conflict& each : conflicts) error.details.push_back("  " + printable(each.path) + " (" + each.kind + ")");
  return error;
}

git::Candidate make(const JobContext& job, const core::job::Landing& landing, const Oid& base) {
  git::MergeRequest request;
  request.target = base;
  request.tip = landing.tip;
  request.style = landing.style;
  request.name = landing.lease.name;
  request.target_name = landing.target;
  request.message = landing.message;
  request.drivers = job.pool->config.merge_drivers;
  git::Candidate made = git::make_candidate(job.source_git(), request);
  const bool submodules = std::any_of(made.conflicts.begin(), made.conflicts.end(),
                                      [](const git::Conflict& each) { return each.kind == "submodule"; });
  if (!submodules) return made;
  // In the slot's place git knows the submodules' commits, and takes the later of two.
  const git::Git slot(
      {job.entry(landing.git_id).entry.string(), job.pool->files.slot(landing.slot).string(), job.pool->place.source.str()},
      job.git_context(nullptr));
  return git::make_candidate(slot, request);
}

// What would be refused when the target is to move is told now.
void look_at_checkouts(const JobContext& job, const core::job::Landing& landing, const TargetStand& stand, const Oid& after,
                       core::done::LandingMade& made) {
  if (!stand.local) return;
  for (const auto& checkout : git::checkouts_of(job.pool->place.source.str(), job.pool->place.worktree, landing.target)) {
    const auto may =
        git::may_follow(checkout_git(job, {checkout.git_dir, checkout.work_tree}, {}), landing.target, *stand.local, after);
    made.checkouts.push_back({checkout.work_tree, may.blocked.empty()});
  }
}

}  // namespace

core::JobDone make_landing(JobContext& job, const core::job::MakeLanding& spec) {
  const core::job::Landing& landing = spec.landing;
  // Whoever lost his turn to another pusher needs what that one brought.
  const bool ask = landing.push && spec.base.empty();
  const TargetStand stand = ask ? fetched_stand_of(job, landing.target) : stand_of(job, landing.target);
  core::done::LandingMade made;
  made.base = spec.base.empty() ? stand.base : spec.base;
  git::Candidate candidate = make(job, landing, made.base);
  FAILPOINT("land.candidate-made");
  made.commits = candidate.commits;
  made.nothing = candidate.nothing;
  if (!candidate.conflicts.empty()) made.refused = conflict(job, landing, made.base, candidate.conflicts);
  if (!candidate.commit) return made;
  made.candidate = *candidate.commit;
  if (spec.dry_run) {
    look_at_checkouts(job, landing, stand, made.candidate, made);
    return made;
  }
  const git::Git source = job.source_git();
  git::make_durable(source, {made.candidate}, {made.base});
  FAILPOINT("land.candidate-durable");
  disk::LandRecord record;
  record.id = landing.id;
  record.name = landing.lease.name;
  record.target = landing.target;
  record.before = made.base;
  record.after = made.candidate;
  disk::write_land_record(job.pool->place.source, record);
  FAILPOINT("land.record-made");
  git::RefTransaction pin;
  pin.set(land_pin(landing.id), made.candidate);
  pin.commit(source);
  FAILPOINT("land.pinned");
  return made;
}

core::JobDone drop_landing(JobContext& job, const core::job::DropLanding& spec) {
  const git::Git source = job.source_git();
  if (const auto pinned = git::ids_of(source, {land_pin(spec.id)})[0]) {
    git::RefTransaction drop;
    drop.remove(land_pin(spec.id), *pinned);
    drop.commit(source);
  }
  disk::remove_land_record(job.pool->place.source, spec.id);
  return core::done::Plain{};
}

core::JobDone recover_landings(JobContext& job, const core::job::RecoverLandings&) {
  finish_landings(job);
  return core::done::Plain{};
}

}  // namespace wtpool::jobs
