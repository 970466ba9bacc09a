// What stands in a slot's entry alone, and would go with it: staged work, stashes of git's own making, commits of its HEAD.
#include "daemon/jobs/trash/unreachable.hpp"

#include <filesystem>

#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/own_refs.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/durable_objects.hpp"
#include "daemon/git/source/refs.hpp"
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
  std::optional<Oid> staged;
  try {
    staged = git::save_index(entry, name, lease.full_sha);
  } catch (const core::Error& error) {
    if (!is_fault_of_index(error)) throw;
    keep_index_file(job, index, trash_id, name);
    log_warn("what was staged in " + job.grant.slot.str() + " cannot be read; the index itself is kept in " +
             job.pool->files.trash_files(trash_id).string() + ": " + error.message);
    return true;
  }
  if (!staged) return false;
  const auto before = git::ids_of(entry, {git::trash_ref(trash_id, "work")}).front();
  if (before && same_work(entry, before->str(), staged->str())) return true;
  const std::string id = free_trash_id(entry, trash_id, lease.id);
  record_trash(job, id, name);
  keep_objects(entry, {*staged}, lease.full_sha);
  git::RefTransaction transaction;
  transaction.create(git::trash_ref(id, "work"), *staged);
  transaction.commit(job.source_git());
  return true;
}

// Commits that no ref leads to, from `tip` on, and where they meet the others. Of a ref only what all worktrees share counts:
// what one of them keeps to itself, its HEAD above all, is gone as soon as it moves on.
struct Lone {
  bool any = false;
  std::vector<Oid> met;
};
Lone lone_commits(const git::Git& source, const Oid& tip) {
  git::Command list;
  list.arguments = {"rev-list", "--ignore-missing", "--boundary", tip.str(), "--not"};
  for (const char* own : {"refs/bisect/*", "refs/worktree/*", "refs/rewritten/*"})
    list.arguments.push_back(std::string("--exclude=") + own);
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

std::vector<std::pair<std::string, Oid>> lone_own_refs(const JobContext& job, const std::string& git_id) {
  const git::Git source = job.source_git();
  std::vector<std::pair<std::string, Oid>> lone;
  for (auto& ref : git::own_refs(job.entry(git_id).entry.string())) {
    if (git::ids_of(source, {ref.second.str() + "^{commit}"}).front() && is_lone(source, ref.second))
      lone.push_back(std::move(ref));
  }
  return lone;
}

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
  bool found = number > 0;
  for (const auto& [name, commit] : lone_own_refs(job, git_id)) {
    found = true;
    const std::string ref = git::trash_ref(trash_id, "worktree/" + name);
    if (git::ids_of(source, {ref}).front()) continue;
    transaction.create(ref, commit);
    lost.push_back(commit);
  }
  if (lost.empty()) return found;
  record_trash(job, trash_id, lease.name.empty() ? job.grant.slot.str() : lease.name);
  keep_objects(source, lost, lease.full_sha);
  transaction.commit(source);
  return true;
}

bool save_staged(const JobContext& job, const std::string& git_id, const core::Lease& lease, const std::string& trash_id,
                 const disk::SlotLock& lock) {
  const git::Git entry = job.source_git(&lock).with_place({job.entry(git_id).entry.string(), {}, job.pool->place.source.str()});
  const bool stashed = keep_autostashes(job, git_id, lease, trash_id);
  return keep_staged(job, entry, lease, trash_id) || stashed;
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
  git::make_durable(source, {*head}, lone.met);
  git::RefTransaction transaction;
  transaction.create(git::trash_ref(id, "head"), *head);
  transaction.commit(source);
  return id;
}

}  // namespace wtpool::jobs
