#include "daemon/jobs/tasks/acquire/branch.hpp"

#include "daemon/git/files/checked_out.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/save.hpp"

namespace wtpool::jobs {

void replace_branch(const git::Git& source, Steps& steps, const std::string& name, const Oid& old,
                    const std::string& trash_id) {
  const std::string branch = "refs/heads/" + name;
  const std::string kept = git::trash_ref(trash_id, "heads/" + name);
  steps.done("put branch " + name + " back", [source, branch, old, kept] {
    const git::Git git = undo_git(source);
    // A git that ended half-way may have moved none of the two, or one.
    const auto now = git::ids_of(git, {branch, kept});
    git::RefTransaction back;
    if (now[0] != old) back.create(branch, old);
    if (now[1] == old) back.remove(kept, old);
    back.commit(git);
  });
  git::RefTransaction aside;
  aside.set(kept, old);
  aside.remove(branch, old);
  aside.commit(source);
}

void detach_again(const git::Git& source, const std::string& git_id, const Oid& otherwise) {
  git::RefTransaction transaction;
  const auto at = git::ids_of(source, {"worktrees/" + git_id + "/HEAD"}).front();
  transaction.detach_head(git_id, at.value_or(otherwise));
  transaction.commit(source);
}

void take_branch_back(const JobContext& job, const git::Git& source, const std::string& git_id, const core::Lease& lease,
                      bool is_anothers) {
  const std::string branch = "refs/heads/" + lease.name;
  git::RefTransaction transaction;
  const auto ids = git::ids_of(source, {"worktrees/" + git_id + "/HEAD", branch});
  if (git::read_head(job.pool->place.source.str(), git_id).branch) {
    transaction.detach_head(git_id, ids[0].value_or(lease.full_sha));
  }
  const bool is_ours = !is_anothers && !git::checked_out_at(job.pool->source, lease.name, git_id);
  if (ids[1] == lease.full_sha && is_ours) transaction.remove(branch, lease.full_sha);
  if (!transaction.empty()) transaction.commit(source);
}

}  // namespace wtpool::jobs
