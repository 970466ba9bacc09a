#include "daemon/jobs/steps/untracked.hpp"

#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/tree/status.hpp"
#include "daemon/git/work/move_aside.hpp"
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

std::size_t count_new_untracked(const JobContext& job, const std::string& git_id, const std::vector<std::string>& untracked) {
  const auto known = disk::read_untracked(job.entry(git_id).untracked()).value_or(std::vector<disk::UntrackedFile>{});
  std::map<std::string, const disk::UntrackedFile*> by_name;
  for (const auto& file : known) by_name[file.name] = &file;
  std::size_t count = 0;
  for (const auto& name : untracked) {
    const auto found = by_name.find(name);
    const auto stat = lstat_of(job.slot_path() / name);
    if (found == by_name.end() || !stat) {
      ++count;
      continue;
    }
    if (found->second->size != static_cast<std::uint64_t>(stat->st_size) || found->second->mtime_ns != modified_ns(*stat))
      ++count;
  }
  return count;
}

std::optional<std::string> clear_the_way(const JobContext& job, const git::Git& slot, const Oid& from, const Oid& to,
                                         const std::string& trash_id, const std::string& name) {
  if (from == to) return std::nullopt;
  const auto in_way = git::in_the_way(job.slot_path().string(), git::paths_added(slot, from, to));
  if (in_way.empty()) return std::nullopt;
  record_trash(job, trash_id, name);
  git::move_aside(job.slot_path(), in_way, job.pool->files.trash_files(trash_id));
  return trash_id;
}

}  // namespace wtpool::jobs
