#include "daemon/jobs/tasks/status.hpp"

#include <algorithm>
#include <future>

#include "common/platform/process.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/operation.hpp"
#include "daemon/git/source/integration.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/source/target.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/jobs/steps/dirt.hpp"

namespace wtpool::jobs {
namespace {

using core::SweepFacts;
using Of = core::job::GitStatus::Of;

constexpr std::size_t kAtATime = 8;  // looks at slots

std::string branch_of(const Of& of) { return of.lease ? "refs/heads/" + of.lease->name : std::string(); }

// The refs of all rows, read at one moment; and what they are compared with.
struct Refs {
  git::RefSnapshot snapshot;
  std::vector<git::Compared> compared;  // of the target: one, or two that went apart
  std::optional<Oid> base;              // default_commit, where it names no branch
};

Refs read_refs(const JobContext& job, const std::vector<Of>& slots) {
  const auto source = job.source_git();
  const auto target = git::target_of(source, job.pool->config.default_commit);
  git::RefSnapshot::Wanted wanted;
  if (target) wanted.refs = target->refs();
  for (const auto& of : slots) {
    if (of.git_id.empty()) continue;
    wanted.heads.push_back(of.git_id);
    if (of.lease) wanted.refs.push_back(branch_of(of));
  }
  Refs refs{git::RefSnapshot::take(job.pool->place.source.str(), wanted), {}, {}};
  if (target) refs.compared = git::compared_refs(source, *target, refs.snapshot);
  // What default_commit names counts where the two went apart.
  if (refs.compared.size() == 2 && refs.compared[1].ref == job.pool->config.default_commit)
    std::swap(refs.compared[0], refs.compared[1]);
  if (refs.compared.empty()) refs.base = git::ids_of(source, {job.pool->config.default_commit + "^{commit}"}).front();
  return refs;
}

// The part that git has to look at the slot's files for.
void look_at_files(const JobContext& job, const Of& of, bool whole, SweepFacts& facts) {
  const auto& source = job.pool->place.source;
  if (of.git_id.empty()) {
    facts.broken = "it has no worktree entry";
    return;
  }
  if (const auto why = git::disproof_of_place(source.str(), of.git_id, job.pool->files.slot(of.slot))) {
    facts.broken = *why;
    return;
  }
  JobContext own = job;
  own.grant.slot = of.slot;
  const auto entry = own.entry(of.git_id).entry;
  const git::Git slot({entry.string(), own.slot_path().string(), source.str()}, own.git_context(nullptr));
  facts.info.operation = git::operation_in(entry);
  if (!whole) {
    const auto look = git::look(slot, git::Untracked::all, false);
    facts.info.dirty = static_cast<std::int64_t>(look.changed.size());
    facts.info.untracked = static_cast<std::int64_t>(look.untracked.size());
    return;
  }
  const auto dirt = dirt_in(own, slot, of.git_id);
  facts.info.dirty = static_cast<std::int64_t>(dirt.changed.size() + dirt.submodules.size() + dirt.own_refs.size());
  facts.new_untracked = static_cast<std::int64_t>(dirt.new_files.size());
  if (!of.lease) return;
  const auto processes = platform::processes_with_environment_or_inside("WTPOOL_LEASE=" + of.lease->id.str(), own.slot_path());
  if (!processes.empty())
    facts.process = "process " + std::to_string(processes.front().pid) + " (" + processes.front().command + ") is in it";
}

SweepFacts look(const JobContext& job, const Of& of, bool whole) {
  SweepFacts facts;
  try {
    look_at_files(job, of, whole, facts);
  } catch (const core::Error& error) {
    if (error.kind == core::ErrorKind::cancelled) throw;
    facts.broken = error.message;
  }
  return facts;
}

// Rows at the same time, each with a git of its own.
std::vector<SweepFacts> look_at_all(const JobContext& job, const core::job::GitStatus& spec) {
  std::vector<SweepFacts> all(spec.slots.size());
  for (std::size_t begin = 0; begin < spec.slots.size(); begin += kAtATime) {
    job.check_stop();
    const auto end = std::min(begin + kAtATime, spec.slots.size());
    std::vector<std::future<SweepFacts>> looks;
    for (std::size_t i = begin; i < end; ++i) {
      looks.push_back(std::async(std::launch::async | std::launch::deferred,
                                 [&job, &spec, i] { return look(job, spec.slots[i], spec.whole); }));
    }
    for (std::size_t i = begin; i < end; ++i) all[i] = looks[i - begin].get();
  }
  return all;
}

// Where the answers of a row begin: of HEAD, and of its branch where that stands elsewhere.
struct Answers {
  std::size_t head = 0, tip = 0;
  bool has_tip = false;
};

void compare_all(const JobContext& job, const core::job::GitStatus& spec, const Refs& refs, std::vector<SweepFacts>& all) {
  const auto source = job.source_git();
  std::vector<git::Pair> pairs;
  std::vector<std::optional<Answers>> asked(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& of = spec.slots[i];
    auto& facts = all[i];
    if (of.git_id.empty()) continue;
    facts.head = refs.snapshot.head(of.git_id).oid;
    if (of.lease) facts.tip = refs.snapshot.value(branch_of(of));
    if (of.lease) {
      const auto& base = of.lease->branch_base.value_or(of.lease->full_sha);
      facts.moved = (facts.head && *facts.head != base) || (facts.tip && *facts.tip != base);
    }
    if (!facts.head || facts.broken) continue;
    if (refs.compared.empty() && refs.base) {
      if (const auto counted = git::counts(source, *facts.head, *refs.base)) facts.info.ahead = counted->ahead;
      continue;
    }
    Answers answers{pairs.size(), 0, facts.tip && facts.tip != facts.head};
    for (const auto& with : refs.compared) pairs.push_back({*facts.head, with.oid});
    answers.tip = pairs.size();
    if (answers.has_tip) {
      for (const auto& with : refs.compared) pairs.push_back({*facts.tip, with.oid});
    }
    asked[i] = answers;
  }
  const auto standings = git::compare(source, pairs);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!asked[i]) continue;
    const auto of_head = [&](std::size_t which) -> const auto& { return standings[asked[i]->head + which]; };
    const auto of_tip = [&](std::size_t which) -> const auto& {
      return asked[i]->has_tip ? standings[asked[i]->tip + which] : of_head(which);
    };
    const auto merged = [&](std::size_t which) {
      return of_head(which) && of_head(which)->merged && of_tip(which) && of_tip(which)->merged;
    };
    // Of two that went apart the first counts, unless it is merged into the other alone.
    const std::size_t which = refs.compared.size() == 2 && !merged(0) && merged(1) ? 1 : 0;
    if (!of_head(which)) continue;
    auto& facts = all[i];
    facts.compared = true;
    facts.info.ahead = of_head(which)->counts.ahead;
    facts.info.behind = of_head(which)->counts.behind;
    if (merged(which)) facts.info.merged = proto::MergedInfo{*of_tip(which)->merged, refs.compared[which].ref};
  }
}

}  // namespace

core::JobDone git_status(JobContext& job, const core::job::GitStatus& spec) {
  // First the refs, then the files: work that is committed in between is seen as neither merged nor lost.
  const auto refs = read_refs(job, spec.slots);
  auto all = look_at_all(job, spec);
  compare_all(job, spec, refs, all);
  core::done::StatusRead read;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& facts = all[i];
    if (facts.broken && !spec.whole) continue;  // a slot that git cannot look at has no git column
    // A list tells of work that is finished, and a lease without commits is not.
    if (!spec.whole && !facts.moved) facts.info.merged.reset();
    read.slots.emplace_back(spec.slots[i].slot, std::move(facts));
  }
  return read;
}

}  // namespace wtpool::jobs
