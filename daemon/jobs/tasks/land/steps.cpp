#include "daemon/jobs/tasks/land/steps.hpp"

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/fetch.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/submodule/state.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/attribute_tree.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/untracked.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

using core::ErrorKind;

[[noreturn]] void blocked(std::string message, std::string hint = {}) {
  fail(core::Fault::source_fault, ErrorKind::blocked, std::move(message), std::move(hint));
}

std::string where(const JobContext& job) {
  return proto::shell_word(job.pool->place.worktree.value_or(job.pool->place.source.str()));
}

// What configuration says, else the remote-tracking branch of that name.
std::string upstream_of(const git::Git& source, const std::string& target) {
  git::Command ask;
  ask.arguments = {"for-each-ref", "--format=%(upstream)", "--", branch_ref(target)};
  const std::string said = git::trimmed(source.must(ask));
  return said.starts_with("refs/") ? said : "refs/remotes/origin/" + target;
}

bool is_ancestor(const git::Git& source, const Oid& ancestor, const Oid& of) {
  git::Command ask;
  ask.arguments = {"merge-base", "--is-ancestor", ancestor.str(), of.str()};
  return source.run(ask).ok();
}

std::optional<std::string> after_prefix(const std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

}  // namespace

std::string land_pin(const std::string& id) { return "refs/wtpool/land/" + id; }
std::string branch_ref(const std::string& name) { return "refs/heads/" + name; }

TargetStand stand_of(const JobContext& job, const std::string& target) {
  const git::Git source = job.source_git();
  TargetStand stand;
  stand.upstream_name = upstream_of(source, target);
  const auto ids = git::ids_of(source, {branch_ref(target), stand.upstream_name});
  stand.local = ids[0];
  stand.upstream = ids[1];
  if (job.pool->place.url) {
    stand.local.reset();
    if (!stand.upstream)
      blocked("cannot land on " + printable(target) + ": the remote has no branch of that name", "wtpool pools");
    stand.base = *stand.upstream;
    return stand;
  }
  if (!stand.local) {
    blocked("cannot land on " + printable(target) + ": there is no branch of that name",
            stand.upstream
                ? "git -C " + where(job) + " branch " + proto::shell_word(target) + " " + proto::shell_word(stand.upstream_name)
                : "git -C " + where(job) + " branch --list");
  }
  stand.base = *stand.local;
  if (!stand.upstream || stand.upstream == stand.local || is_ancestor(source, *stand.upstream, *stand.local)) return stand;
  if (!is_ancestor(source, *stand.local, *stand.upstream)) {
    blocked("cannot land on " + printable(target) + ": it and its upstream " + printable(stand.upstream_name) + " went apart",
            "git -C " + where(job) + " log --oneline --left-right " + proto::shell_word(target) + "..." +
                proto::shell_word(stand.upstream_name));
  }
  stand.base = *stand.upstream;
  return stand;
}

TargetStand fetched_stand_of(JobContext& job, const std::string& target) {
  const auto until = job.deadline;
  job.deadline = std::min(job.deadline, std::chrono::steady_clock::now() + job.pool->config.fetch_timeout);
  core::Wants wants;
  wants.commits.insert("refs/heads/" + target);
  wants.commits.insert("origin/" + target);
  const bool asked = git::fetch(job.source_git(), wants);
  job.deadline = until;
  if (!asked)
    blocked("cannot land on " + printable(target) + " and push it: the source has no remote",
            "git -C " + where(job) + " remote -v");
  return stand_of(job, target);
}

std::string target_of(const JobContext& job, const std::optional<std::string>& into) {
  const core::PoolConfig& config = job.pool->config;
  const std::string said = into ? *into : !config.land_into.empty() ? config.land_into : config.default_commit;
  if (const auto name = after_prefix(said, "refs/heads/")) return *name;
  if (const auto name = after_prefix(said, "refs/remotes/")) {
    const std::size_t slash = name->find('/');
    if (slash != std::string::npos) return name->substr(slash + 1);
  }
  if (git::ids_of(job.source_git(), {branch_ref(said)})[0]) return said;
  if (const auto name = after_prefix(said, "origin/")) return *name;
  if (into || !config.land_into.empty()) return said;  // whether there is one is said where it is looked for
  blocked("cannot tell which branch to land on: default_commit is " + printable(said) + ", which names none",
          "wtpool land --into BRANCH");
}

std::string why_dirty(const JobContext& job, const git::Git& slot, const SlotId& id, const std::string& git_id) {
  for (const char* operation : {"MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG"})
    if (lstat_of(disk::path(slot.place().git_dir) / operation))
      return "an operation is half done (" + std::string(operation) + ")";
  const auto look = git::look(slot, git::Untracked::all, false);
  if (!look.changed.empty()) {
    return std::to_string(look.changed.size()) + (look.changed.size() == 1 ? " tracked file is" : " tracked files are") +
           " not committed: " + printable(look.changed.front());
  }
  if (const auto hidden = git::hidden_changes(slot, slot.place().git_dir); !hidden.empty())
    return "a change is hidden from git status: " + printable(hidden.front());
  JobContext of_slot = job;
  of_slot.grant.slot = id;
  const std::size_t fresh = new_untracked(of_slot, git_id, look.untracked).size();
  if (fresh > 0)
    return std::to_string(fresh) + (fresh == 1 ? " untracked file is" : " untracked files are") + " new since acquire";
  if (const auto submodules = git::look_at_submodules(slot); !submodules.touched.empty())
    return "the submodule " + printable(submodules.touched.front()) + " is changed";
  return {};
}

bool move_refs(const git::Git& source, const std::vector<RefMove>& moves, const std::string& reflog, std::string& why) {
  git::Command command;
  command.arguments = {"update-ref", "-m", reflog, "--create-reflog", "--stdin", "-z"};
  command.durable = true;
  command.input = std::string("start") + '\0';
  for (const RefMove& move : moves) {
    command.input += std::string("option no-deref") + '\0';
    command.input += (move.to ? "update " : "delete ") + move.ref + '\0';
    if (move.to) command.input += move.to->str() + '\0';
    command.input += move.from.str() + '\0';
  }
  command.input += std::string("prepare") + '\0' + "commit" + '\0';
  try {
    source.must(command);
    return true;
  } catch (const core::Error& error) {
    if (error.kind != ErrorKind::git_failed || was_killed(error)) throw;
    why = error.message;
    return false;
  }
}

git::Git checkout_git(const JobContext& job, const disk::LandRecord::Checkout& checkout, const std::vector<int>& inherited) {
  const std::string& source = job.pool->place.source.str();
  git::Context context = job.git_context(nullptr);
  context.inherited = inherited;
  context.remember_filters = false;
  return git::Git({checkout.git_dir, checkout.work_tree, checkout.git_dir == source ? std::string{} : source}, context);
}

namespace {

// What of it is left: the checkouts of the target, the slot that was to follow.
void finish(const JobContext& job, const disk::LandRecord& record, std::vector<int> inherited) {
  const git::Git source = job.source_git();
  const auto ids = git::ids_of(source, {branch_ref(record.target), land_pin(record.id), branch_ref(record.name)});
  const bool moved = record.state == disk::LandRecord::State::advancing && ids[0] &&
                     (ids[0] == record.after || is_ancestor(source, record.after, *ids[0]));
  if (moved) {
    for (const auto& checkout : record.checkouts) {
      if (!git::holds_head(checkout.git_dir, record.target)) continue;  // its owner went elsewhere meanwhile
      git::catch_up(checkout_git(job, checkout, inherited), record.before, *ids[0]);
      FAILPOINT("land.recovered-checkout");
    }
  }
  if (!record.slot.empty() && ids[2] == record.after && record.tip != record.after) {
    const disk::LandRecord::Checkout slot{job.entry(record.git_id).entry.string(),
                                          job.pool->files.slot(SlotId(record.slot)).string()};
    if (git::holds_head(slot.git_dir, record.name)) git::catch_up(checkout_git(job, slot, inherited), record.tip, record.after);
  }
  if (ids[1]) {
    git::RefTransaction drop;
    drop.remove(land_pin(record.id), *ids[1]);
    drop.commit(source);
  }
  disk::remove_land_record(job.pool->place.source, record.id);
}

}  // namespace

std::vector<std::string> finish_landings(const JobContext& job) {
  const SourceId& source = job.pool->place.source;
  std::vector<std::string> left;
  for (const std::string& id : disk::land_ids(source)) {
    try {
      const auto record = disk::read_land_record(source, id);
      // The slot is another pool's to touch.
      if (record && !record->slot.empty() && !is_directory_no_follow(job.pool->files.slot(SlotId(record->slot)))) continue;
      std::optional<disk::SlotLock> slot;
      if (record && !record->slot.empty()) {
        slot = disk::SlotLock::try_take(job.pool->files, SlotId(record->slot));
        if (!slot) left.push_back(record->slot);
        if (!slot) continue;
      }
      const auto lock = disk::FileLock::try_take(disk::land_lock(source, id));
      const auto now = lock ? disk::read_land_record(source, id) : std::nullopt;
      if (!lock) {  // it is not over: of this daemon, or a git of one that was killed
        if (record) left.push_back(record->slot);
      } else if (!now) {
        disk::remove_land_record(source, id);  // somebody else finished it first
      } else if (now->slot.empty() || slot) {
        std::vector<int> inherited = {lock->descriptor()};
        if (slot) inherited.push_back(slot->descriptor());
        finish(job, *now, std::move(inherited));
        log_info("landing " + id + " of " + now->name + " on " + now->target + " was cut off, and is finished");
      }
    } catch (const core::Error& error) {
      log_warn("landing " + id + " was cut off and cannot be finished yet: " + error.message);
    }
  }
  return left;
}

}  // namespace wtpool::jobs
