#include "daemon/jobs/trash/submodules.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/submodule/state.hpp"
#include "daemon/git/work/move_aside.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

// Its place stays, as git leaves it.
void move_tree(const JobContext& job, const std::string& path, const disk::path& aside) {
  git::move_aside(job.slot_path(), {path}, aside);
  const auto place = job.slot_path() / path;
  if (::mkdir(place.c_str(), 0777) != 0 && errno != EEXIST) throw io_error("cannot make", place, errno);
}

void move_repository(const disk::path& entry, const std::string& repository, const disk::path& aside) {
  if (!lstat_of(entry / repository)) return;  // two trees may lead to one, and a holder may have removed it
  git::move_aside(entry, {repository}, aside);
  for (auto above = disk::path(repository).parent_path(); !above.empty(); above = above.parent_path())
    if (::rmdir((entry / above).c_str()) != 0) break;
}

// git refuses to read a repository whose work tree is gone.
void forget_work_trees(const git::Git& git, const disk::path& directory) {
  if (!is_directory_no_follow(directory)) return;
  const bool is_repository = lstat_of(directory / "HEAD") && lstat_of(directory / "config");
  if (!is_repository) {
    for (const auto& child : children_of(directory)) forget_work_trees(git, child);
    return;
  }
  for (const char* name : {"config", "config.worktree"}) {
    const auto file = lstat_of(directory / name);
    if (!file || !S_ISREG(file->st_mode)) continue;
    git::Command unset;
    unset.arguments = {"config", "--file", (directory / name).string(), "--unset-all", "core.worktree"};
    (void)git.run(unset);  // fails where it names none
  }
  forget_work_trees(git, directory / "modules");
}

void make_readable(const ServedPool& pool, const disk::path& aside) {
  const git::Git git({pool.place.source.str(), {}}, git::Context{});
  try {
    for (const auto& each : children_of(aside)) {
      if (each.filename().string().starts_with("modules")) forget_work_trees(git, each);
    }
  } catch (const core::Error& error) {
    log_warn("what is kept in " + aside.string() + " may have to be read with --work-tree: " + error.message);
  }
}

}  // namespace

bool keep_submodule_repositories(const ServedPool& pool, const SlotId& slot, const std::string& git_id, const std::string& name,
                                 const std::string& trash_id) {
  const auto entry = disk::EntryFiles(pool.place.source, git_id).entry;
  if (git_id.empty() || !is_directory_no_follow(entry) || !git::holds_repositories(entry)) return false;
  record_trash(pool, slot, trash_id, name.empty() ? slot.str() : name);
  git::move_aside(entry, {"modules"}, pool.files.trash_files(trash_id));
  make_readable(pool, pool.files.trash_files(trash_id));
  return true;
}

std::vector<std::string> set_submodules_aside(const JobContext& job, const git::Git& slot, const std::string& name,
                                              const std::string& trash_id) {
  std::vector<std::string> said;
  const auto aside = job.pool->files.trash_files(trash_id);
  for (const auto& submodule : git::submodules_of(slot)) {
    if (git::filling_of(slot, submodule) != git::Filling::touched) continue;
    const auto repository = git::own_repository(slot, submodule.path);
    record_trash(job, trash_id, name.empty() ? job.grant.slot.str() : name);
    // The repository goes first: a tree whose repository is gone is seen by whoever goes on after a kill, and not the other
    // way round.
    if (repository) move_repository(slot.place().git_dir, *repository, aside);
    FAILPOINT("submodules.repository-aside");
    move_tree(job, submodule.path, aside);
    said.push_back((repository
                        ? "submodule " + submodule.path + " of " + job.grant.slot.str() + " was changed"
                        : "a repository stood in the place of submodule " + submodule.path + " of " + job.grant.slot.str()) +
                   ": it is kept whole in " + aside.string() + ", and its place is empty");
  }
  if (!said.empty()) make_readable(*job.pool, aside);
  return said;
}

bool keep_submodule_trees(const JobContext& job, const git::Git& slot, const std::vector<std::string>& nested,
                          const std::string& trash_id) {
  std::vector<std::string> filled = git::repositories_in(job.slot_path());
  std::vector<std::string> others;
  for (const auto& path : filled) {
    if (!git::own_repository(slot, path) && !git::is_ignored_copy(slot, path)) others.push_back(path);
  }
  for (const auto& path : nested) {
    if (!git::own_repository(slot, path)) others.push_back(path);
  }
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  if (!others.empty()) {
    core::Error error(
        core::ErrorKind::dirty,
        "cannot remove " + job.grant.slot.str() + ": a repository of its own stands in it, at " + printable(others.front()),
        "mv " + proto::shell_word((job.slot_path() / others.front()).string()) + " ELSEWHERE");
    error.slot = job.grant.slot.str();
    for (std::size_t i = 1; i < others.size() && i < 10; ++i) error.details.push_back("  and at " + printable(others[i]));
    throw FaultError{core::Fault::source_fault, error};
  }
  std::vector<std::string> work;
  for (const auto& path : filled) {
    if (git::has_changes(slot, path)) work.push_back(path);
  }
  for (const auto& submodule : git::submodules_of(slot)) {
    if (git::filling_of(slot, submodule) == git::Filling::files) work.push_back(submodule.path);
  }
  if (work.empty()) return false;
  record_trash(job, trash_id, job.grant.slot.str());
  for (const auto& path : work) {
    // One inside another has gone with that.
    if (lstat_of(job.slot_path() / path)) move_tree(job, path, job.pool->files.trash_files(trash_id));
  }
  return true;
}

}  // namespace wtpool::jobs
