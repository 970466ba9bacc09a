#include "daemon/jobs/steps/untracked.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/move_aside.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/trash/save.hpp"
#include "daemon/jobs/trash/trash_id.hpp"

namespace wtpool::jobs {

void remember_untracked(const JobContext& job, const std::string& git_id, const std::vector<std::string>& untracked) {
  std::vector<disk::UntrackedFile> files;
  for (const auto& name : untracked) {
    if (const auto stat = lstat_of(job.slot_path() / name)) {
      files.push_back({name, static_cast<std::uint64_t>(stat->st_size), modified_ns(*stat)});
    }
  }
  const auto file = job.entry(git_id).untracked();
  if (files.empty() ? !lstat_of(file) : disk::read_untracked(file) == files) return;
  make_directories(job.entry(git_id).own());
  disk::write_untracked(file, files);
}

std::vector<std::string> new_untracked(const JobContext& job, const std::string& git_id,
                                       const std::vector<std::string>& untracked) {
  const auto known = disk::read_untracked(job.entry(git_id).untracked()).value_or(std::vector<disk::UntrackedFile>{});
  std::map<std::string, const disk::UntrackedFile*> by_name;
  for (const auto& file : known) by_name[file.name] = &file;
  std::vector<std::string> fresh;
  for (const auto& name : untracked) {
    const auto found = by_name.find(name);
    const auto stat = lstat_of(job.slot_path() / name);
    const bool same = found != by_name.end() && stat && found->second->size == static_cast<std::uint64_t>(stat->st_size) &&
                      found->second->mtime_ns == modified_ns(*stat);
    if (!same) fresh.push_back(name);
  }
  return fresh;
}

std::optional<std::string> clear_the_way(const JobContext& job, const git::Git& slot, const Oid& from, const Oid& to,
                                         const std::string& trash_id, const std::string& name, const std::string& git_id,
                                         const LeaseId& lease_id) {
  if (from == to) return std::nullopt;
  const auto in_way = git::in_the_way(job.slot_path().string(), git::paths_added(slot, from, to));
  if (in_way.empty()) return std::nullopt;
  // Like other work, as far as it is files that a tree can hold; what they are saved as is behind a ref, and comes back.
  const bool all_files = std::all_of(in_way.begin(), in_way.end(), [&](const std::string& path) {
    const auto stat = lstat_of(job.slot_path() / path);
    return stat && (S_ISREG(stat->st_mode) || S_ISLNK(stat->st_mode));
  });
  if (all_files) {
    core::Lease lease;
    lease.id = lease_id;
    lease.name = name;
    lease.full_sha = from;
    git::TreeLook look;
    look.head = from;
    if (const auto kept = save_dirt(job, slot, git_id, lease, look, in_way, trash_id)) {
      for (const auto& path : in_way) unlink_durably(job.slot_path() / path);
      return kept;
    }
  }
  record_trash(job, trash_id, name);
  git::move_aside(job.slot_path(), in_way, job.pool->files.trash_files(trash_id));
  return trash_id;
}

}  // namespace wtpool::jobs
