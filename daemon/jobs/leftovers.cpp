#include "daemon/jobs/leftovers.hpp"

#include "common/failpoint.hpp"
#include "common/files.hpp"

namespace wtpool::jobs {
namespace {

bool stands_where_it_was_left(const JobContext& job, const std::string& git_id, const Oid& head) {
  try {
    return read_file(job.entry(git_id).standing()) == head.str();
  } catch (const core::Error&) {
    return false;  // then git is asked, which costs no more than time
  }
}

// The refs of single worktrees end with what goes on there; all others keep what is behind them.
bool is_behind_a_ref(const git::Git& source, const Oid& commit) {
  git::Command ask;
  ask.arguments = {"rev-list", "--max-count=1", commit.str(), "--not"};
  for (const char* name : {"bisect", "worktree", "rewritten"}) {
    ask.arguments.push_back("--exclude=refs/" + std::string(name) + "/*");
  }
  ask.arguments.insert(ask.arguments.end(), {"--glob=refs/*", "--"});
  const auto told = source.run(ask);
  return told.ok() && told.output.empty();
}

// A commit on a detached HEAD: once it stands elsewhere, a reflog alone would know of it.
bool keep_commits(const JobContext& job, const std::string& git_id, const Oid& head, const core::Lease& lease,
                  const std::string& trash_id) {
  if (stands_where_it_was_left(job, git_id, head)) return false;
  const git::Git source = job.source_git();
  if (is_behind_a_ref(source, head)) return false;
  record_trash(job, trash_id, job.grant.slot.str());
  keep_objects(source, {head}, lease.full_sha);
  git::RefTransaction transaction;
  transaction.set(git::trash_ref(trash_id, "head"), head);
  transaction.commit(source);
  return true;
}

// What cannot be kept is for a person to look at.
void or_quarantine(const std::function<void()>& keep) {
  try {
    keep();
  } catch (const core::Error& error) {
    if (error.kind == core::ErrorKind::cancelled) throw;
    throw FaultError{core::Fault::quarantine, error};
  }
}

}  // namespace

void keep_autostashes(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id) {
  const auto stashes = git::autostashes(job.entry(git_id).entry.string());
  if (stashes.empty()) return;
  record_trash(job, trash_id, lease.name.empty() ? job.grant.slot.str() : lease.name);
  git::RefTransaction transaction;
  int number = 0;
  for (const auto& stash : stashes) transaction.set(git::trash_ref(trash_id, "autostash/" + std::to_string(number++)), stash);
  keep_objects(job.source_git(), stashes, lease.full_sha);
  transaction.commit(job.source_git());
}

void remember_standing(const JobContext& job, const std::string& git_id, const Oid& at) {
  if (stands_where_it_was_left(job, git_id, at)) return;
  make_directories(job.entry(git_id).own());
  write_atomically(job.entry(git_id).standing(), at.str());
}

Cleaned clean_idle(const JobContext& job, const git::Git& slot, const std::string& git_id, const core::Lease& lease,
                   const std::string& trash_id) {
  const std::string entry = job.entry(git_id).entry.string();
  core::Lease nobody;
  nobody.id = lease.id;
  nobody.full_sha = lease.full_sha;
  Cleaned cleaned;
  const auto say = [&](const std::string& what) { cleaned.warnings.push_back(job.grant.slot.str() + " " + what); };
  or_quarantine([&] { keep_autostashes(job, git_id, nobody, trash_id); });
  git::clear_operations(entry);
  if (const auto said = mend_index(job, slot)) cleaned.warnings.push_back(*said);
  git::clear_hiding_bits(slot, entry);  // set while nobody held it, they would hide what was written
  auto look = git::look(slot, git::Untracked::all, true);
  nobody.full_sha = look.head.value_or(lease.full_sha);
  or_quarantine([&] {
    if (look.head && !look.branch && keep_commits(job, git_id, *look.head, lease, trash_id)) {
      say("had a commit on no branch though nobody held it; it is kept as " + trash_id);
    }
    if (const auto kept =
            save_before_reset(job, slot, git_id, nobody, look, {}, nobody.full_sha, core::Dirty::save, trash_id)) {
      say("had changes though nobody held it; they are kept as " + *kept);
    }
  });
  if (look.branch) say("stood on branch " + *look.branch + " though nobody held it; the branch stays where it is");
  if (!look.changed.empty() || !look.head || look.branch || git::is_sparse(entry)) {
    FAILPOINT("acquire.strangers-work-kept");
    git::reset_hard(slot, nobody.full_sha);
    look = git::look(slot, git::Untracked::all, true);
  }
  cleaned.head = look.head;
  cleaned.untracked = std::move(look.untracked);
  return cleaned;
}

}  // namespace wtpool::jobs
