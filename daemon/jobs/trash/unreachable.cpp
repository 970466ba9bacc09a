// What stands in a slot's entry alone, and would go with it: staged work, stashes of git's own making, commits of its HEAD.
#include "daemon/jobs/trash/unreachable.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/durable_objects.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/move_aside.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/trash/trash_id.hpp"

namespace wtpool::jobs {
namespace {

// An index that git cannot make a tree of is no reason to keep a slot from being released, and none to destroy it: the file
// itself is kept. Whatever may pass, and whatever says that nothing can be written, is not the index's fault.
bool is_fault_of_index(const core::Error& error) {
  const bool io = error.git && error.git->stderr_tail.find("Input/output error") != std::string::npos;
  return error.kind == core::ErrorKind::git_failed && !io && fault_in_upkeep(error) == core::Fault::quarantine;
}

void keep_index_file(const JobContext& job, const disk::path& index, const std::string& id, const std::string& name) {
  record_trash(job, id, name);
  const auto folder = job.pool->files.trash_files(id);
  make_directories(folder, 0755, true);
  disk::path to = folder / "index";
  for (int number = 1; lstat_of(to); ++number) to = folder / ("index." + std::to_string(number));
  std::error_code failed;
  std::filesystem::copy_file(index, to, failed);
  if (failed) throw io_error("cannot keep", index, failed.value());
  sync_files({to});
  sync_directory(folder);
}

bool keep_staged(const JobContext& job, const git::Git& entry, const core::Lease& lease, const std::string& trash_id) {
  const auto index = disk::path(entry.place().git_dir) / "index";
  if (!lstat_of(index)) return false;
  const std::string name = lease.name.empty() ? job.grant.slot.str() : lease.name;
  std::optional<git::Saved> saved;
  try {
    saved = git::save_index(entry, name, lease.full_sha);
  } catch (const core::Error& error) {
    if (!is_fault_of_index(error)) throw;
    keep_index_file(job, index, trash_id, name);
    log_warn("what was staged in " + job.grant.slot.str() + " cannot be read; the index itself is kept in " +
             job.pool->files.trash_files(trash_id).string() + ": " + error.message);
    return true;
  }
  if (!saved) return false;
  const auto& staged = saved->work;
  const auto before = git::ids_of(entry, {git::trash_ref(trash_id, "work")}).front();
  if (before && same_work(entry, before->str(), staged->str())) return true;
  const std::string id = free_trash_id(entry, trash_id, lease.id);
  record_trash(job, id, name);
  git::RefTransaction transaction;
  transaction.create(git::trash_ref(id, "work"), *staged);
  commit_kept(transaction, job.source_git(), std::move(saved->pack));
  return true;
}

// Commits that no ref leads to, from `tip` on, and where they meet the others. Of a ref only what all worktrees share counts:
// what one of them keeps to itself, its HEAD above all, is gone as soon as it moves on.
struct Lone {
  bool any = false;
  std::vector<Oid> met;
};
// `trash_counts`: whether refs below refs/wtpool/ are refs of others as well; they may be dropped.
Lone lone_commits(const git::Git& source, const Oid& tip, bool trash_counts = true) {
  git::Command list;
  list.arguments = {"rev-list", "--ignore-missing", "--boundary", tip.str(), "--not"};
  for (const char* own : {"refs/bisect/*", "refs/worktree/*", "refs/rewritten/*"})
    list.arguments.push_back(std::string("--exclude=") + own);
  if (!trash_counts) list.arguments.emplace_back("--exclude=refs/wtpool/*");
  list.arguments.emplace_back("--glob=refs/*");
  Lone lone;
  for (const std::string& line : git::split(source.must(list), '\n')) {
    if (line.starts_with('-')) {
      lone.met.emplace_back(line.substr(1));
    } else {
      lone.any = lone.any || !line.empty();
    }
  }
  return lone;
}

}  // namespace

bool is_lone(const git::Git& source, const Oid& tip) { return lone_commits(source, tip).any; }

namespace {

bool keep_autostashes(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id) {
  const git::Git source = job.source_git();
  std::vector<Oid> lost;
  git::RefTransaction transaction;
  int number = 0;
  const auto stashes = git::autostashes(job.entry(git_id).entry.string());
  for (const auto& stash : stashes) {
    if (!git::ids_of(source, {stash.str() + "^{commit}"}).front()) continue;
    std::string ref;
    std::optional<Oid> there;
    do {
      ref = git::trash_ref(trash_id, "autostash/" + std::to_string(number++));
      there = git::ids_of(source, {ref}).front();
    } while (there && *there != stash);
    if (there) continue;
    transaction.create(ref, stash);
    lost.push_back(stash);
  }
  if (lost.empty()) return number > 0;
  record_trash(job, trash_id, lease.name.empty() ? job.grant.slot.str() : lease.name);
  commit_kept(transaction, source, keep_objects(source, lost, lease.full_sha));
  return true;
}

// Of all that is named, what no ref leads to.
std::vector<git::NamedByState> lone_of(const git::Git& source, const std::vector<git::NamedByState>& named) {
  std::vector<std::string> asked;
  for (const auto& each : named) asked.push_back(each.id.str());
  const auto there = git::ids_of(source, asked);
  git::Command list;
  list.arguments = {"rev-list", "--objects", "--no-object-names", "--ignore-missing", "--stdin", "--not"};
  list.output_limit = git::kWholeTree;
  bool any = false;
  for (const auto& id : there) {
    if (id) list.input += id->str() + "\n";
    any = any || id;
  }
  if (!any) return {};
  for (const char* own : {"refs/bisect/*", "refs/worktree/*", "refs/rewritten/*"})
    list.arguments.push_back(std::string("--exclude=") + own);
  list.arguments.emplace_back("--glob=refs/*");
  std::set<std::string> lone;
  for (const std::string& line : git::split(source.must(list), '\n')) lone.insert(line);
  std::vector<git::NamedByState> found;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (there[i] && lone.contains(there[i]->str()) && seen.insert(there[i]->str()).second) found.push_back(named[i]);
  }
  return found;
}

// Of commits that lead to one another the last is enough. What is no commit stays as it is.
void drop_those_behind_others(const git::Git& source, std::vector<git::NamedByState>& lone) {
  if (lone.size() < 2) return;
  git::Command ask;
  ask.arguments = {"merge-base", "--independent"};
  for (const auto& each : lone) ask.arguments.push_back(each.id.str());
  const auto told = source.run(ask);
  if (!told.ok()) return;
  const auto tips = git::split(told.output, '\n');
  std::erase_if(lone, [&](const auto& each) { return std::find(tips.begin(), tips.end(), each.id.str()) == tips.end(); });
}

bool keep_named_by_state(const JobContext& job, const std::string& git_id, const core::Lease& lease,
                         const std::string& trash_id) {
  const auto named = git::named_by_state(job.entry(git_id).entry.string());
  if (named.empty()) return false;
  const git::Git source = job.source_git();
  auto lone = lone_of(source, named);
  if (lone.empty()) return false;
  drop_those_behind_others(source, lone);
  record_trash(job, trash_id, lease.name.empty() ? job.grant.slot.str() : lease.name);
  git::RefTransaction transaction;
  std::vector<Oid> tips;
  int number = 0;
  for (const auto& each : lone) {
    while (git::tips_now(source, {git::trash_ref(trash_id, "state/" + std::to_string(number))}).front()) ++number;
    transaction.create(git::trash_ref(trash_id, "state/" + std::to_string(number++)), each.id);
    tips.push_back(each.id);
  }
  commit_kept(transaction, source, keep_objects(source, tips, lease.full_sha));
  return true;
}

bool keep_patches(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id) {
  const auto entry = job.entry(git_id).entry;
  if (!git::has_patches(entry.string())) return false;
  record_trash(job, trash_id, lease.name.empty() ? job.grant.slot.str() : lease.name);
  git::move_aside(entry, {"rebase-apply"}, job.pool->files.trash_files(trash_id));
  return true;
}

}  // namespace

bool keep_operations(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id) {
  const bool stashed = keep_autostashes(job, git_id, lease, trash_id);
  const bool named = keep_named_by_state(job, git_id, lease, trash_id);
  return keep_patches(job, git_id, lease, trash_id) || named || stashed;
}

bool save_staged(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id,
                 const disk::SlotLock& lock) {
  const git::Git entry = job.source_git(&lock).with_place({job.entry(git_id).entry.string(), {}, job.pool->place.source.str()});
  const bool held = keep_operations(job, git_id, lease, trash_id);
  return keep_staged(job, entry, lease, trash_id) || held;
}

std::optional<std::string> keep_strangers_head(const JobContext& job, const core::Lease& lease, const Oid& head,
                                               const std::string& trash_id) {
  const git::Git source = job.source_git();
  const std::string as_head = git::trash_ref(trash_id, "head");
  const auto own = git::ids_of(source, {as_head, git::trash_ref(trash_id, "heads/" + lease.name)});
  if (own[0] == head || own[1] == head) return std::nullopt;
  const Lone lone = lone_commits(source, head, false);
  if (!lone.any) return std::nullopt;
  const std::string id = own[0] ? unused_trash_id(job, lease.id) : trash_id;
  record_trash(job, id, lease.name.empty() ? job.grant.slot.str() : lease.name);
  git::RefTransaction transaction;
  transaction.create(git::trash_ref(id, "head"), head);
  commit_kept(transaction, source, git::hold_objects(source, {head}, lone.met));
  return id;
}

std::optional<std::string> keep_lone_head(const JobContext& job, const std::string& git_id, const std::string& trash_id) {
  const git::Git source = job.source_git();
  auto head = git::ids_of(source, {"worktrees/" + git_id + "/HEAD^{commit}"}).front();
  if (!head) {
    // In a torn entry git may not find it, and plain files may say.
    const auto read = git::read_head(job.pool->place.source.str(), git_id).oid;
    if (read) head = git::ids_of(source, {read->str() + "^{commit}"}).front();
  }
  if (!head) return std::nullopt;
  const Lone lone = lone_commits(source, *head);
  if (!lone.any) return std::nullopt;
  std::string id = trash_id;
  if (git::ids_of(source, {git::trash_ref(id, "head")}).front())
    id = unused_trash_id(job, LeaseId(trash_id.substr(trash_id.rfind('-') + 1)));
  record_trash(job, id, job.grant.slot.str());
  git::RefTransaction transaction;
  transaction.create(git::trash_ref(id, "head"), *head);
  commit_kept(transaction, source, git::hold_objects(source, {*head}, lone.met));
  return id;
}

}  // namespace wtpool::jobs
