// Keeping idle slots where the next caller most likely wants them: where the default commit stands, and one slot brought there.
#include "daemon/jobs/tasks/tip.hpp"

#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "daemon/core/state/slot_ids.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/submodule/state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/guards.hpp"
#include "daemon/jobs/steps/idle_tree.hpp"
#include "daemon/jobs/steps/untracked.hpp"

namespace wtpool::jobs {
namespace {

constexpr int kLine = 400;  // first parents that are known of a tip

// The seal says that the tree is clean, so that nothing of anybody's is lost when it moves. It is over from here on.
std::optional<Oid> take_proof(const JobContext& job) {
  auto seal = job.seals->take({job.grant.pool, job.grant.slot});
  if (!seal) return std::nullopt;
  const auto at = seal->intact() ? std::optional(seal->at()) : std::nullopt;
  job.seals->retire(std::move(seal));
  return at;
}

}  // namespace

core::JobDone look_at_tip(JobContext& job, const core::job::LookAtTip& spec) {
  const git::Git source = job.source_git();
  const auto tip = git::ids_of(source, {job.pool->config.default_commit + "^{commit}"}).front();
  if (!tip) {
    throw core::Error(core::ErrorKind::commit_unknown, "there is no commit " + job.pool->config.default_commit);
  }
  if (*tip == spec.known) return core::done::TipSeen{*tip, {}};
  return core::done::TipSeen{*tip, git::first_parents(source, *tip, kLine)};
}

// A daemon that dies here leaves an idle slot that is not clean. The next acquire of it has git look, as of any slot that is
// not sealed, and keeps what it finds.
core::JobDone advance(JobContext& job, const core::job::Advance& spec) {
  const auto lock = take_slot_lock(job);
  const std::string& git_id = job.grant.git_id;
  prove_idle(job, git_id);
  const auto from = take_proof(job);
  if (!from) return core::done::NotSealed{core::done::NotSealed::Why::busy, "something happened in it"};
  const git::Git slot = job.slot_git(git_id, lock);
  if (const auto in_the_way = git::in_the_way(job.slot_path().string(), git::paths_added(slot, *from, spec.to));
      !in_the_way.empty()) {
    return core::done::NotSealed{core::done::NotSealed::Why::dirty, "an untracked file is in the way: " + in_the_way.front()};
  }
  // Whoever gets it is to hear what became stale: that is told by the commit it stands at.
  const auto parts = core::parse_slot_id(job.grant.slot.str());
  if (const auto stale = stale_paths(job, parts ? parts->group : std::nullopt, *from, spec.to); !stale.empty())
    return core::done::NotSealed{core::done::NotSealed::Why::dirty, "it would make " + printable(stale.front()) + " stale"};
  job.check_stop();
  git::reset_hard(slot, spec.to);
  FAILPOINT("advance.reset");
  auto look = git::look(slot, git::Untracked::all, true);
  if (!look.changed.empty() || look.head != spec.to || look.branch) {
    return core::done::NotSealed{core::done::NotSealed::Why::dirty, "it does not stand clean at the tip"};
  }
  for (auto& file : git::files_in_unfilled(slot)) look.untracked.push_back(std::move(file));
  remember_untracked(job, git_id, look.untracked);
  remember_standing(job, git_id, spec.to);
  core::done::Idle idle;
  idle.at = spec.to;
  idle.tree = git::ids_of(slot, {spec.to.str() + "^{tree}"}).front().value_or(Oid{});
  idle.git_id = git_id;
  return idle;
}

}  // namespace wtpool::jobs
