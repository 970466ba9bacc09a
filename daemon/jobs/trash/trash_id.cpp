#include "daemon/jobs/trash/trash_id.hpp"

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/source/durable_objects.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/blame.hpp"

namespace wtpool::jobs {
namespace {

std::string first_eight(const LeaseId& lease) { return lease.str().substr(0, 8); }

std::vector<std::string> trees_of(const git::Git& git, const std::string& work) {
  const auto ids = git::ids_of(git, {work + "^{tree}", work + "^1", work + "^2^{tree}", work + "^3^{tree}"});
  std::vector<std::string> trees;
  for (const auto& id : ids) trees.push_back(id ? id->str() : std::string{});
  return trees;
}

}  // namespace

std::string new_trash_id(const LeaseId& lease) { return compact_utc(wall_now()) + "-" + first_eight(lease); }

std::string unused_trash_id(const JobContext& job, const LeaseId& lease) {
  for (std::int64_t later = 0;; ++later) {
    std::string id = compact_utc(wall_now() + later) + "-" + first_eight(lease);
    if (!lstat_of(job.pool->files.trash_record(id))) return id;
  }
}

bool is_trash_of(const LeaseId& lease, const std::string& id) { return id.ends_with("-" + first_eight(lease)); }

std::string free_trash_id(const git::Git& git, const std::string& wanted, const LeaseId& lease) {
  std::string id = wanted;
  for (std::int64_t later = 0; git::ids_of(git, {git::trash_ref(id, "work")}).front(); ++later) {
    id = compact_utc(wall_now() + later) + "-" + first_eight(lease);
  }
  return id;
}

bool same_work(const git::Git& git, const std::string& one, const std::string& other) {
  return trees_of(git, one) == trees_of(git, other);
}

std::string where_kept(const JobContext& job, const std::string& id) {
  std::string where;
  try {
    if (git::list_trash(job.source_git()).contains(id)) where = "refs/wtpool/trash/" + id + " in the source";
  } catch (const core::Error& error) {
    log_warn("whether the source keeps " + id + " cannot be told: " + error.message);
  }
  const auto files = job.pool->files.trash_files(id);
  if (lstat_of(files)) where += (where.empty() ? "" : ", and ") + files.string();
  return where;
}

void record_trash(const JobContext& job, const std::string& id, const std::string& name) {
  record_trash(*job.pool, job.grant.slot, id, name);
}

void record_trash(const ServedPool& pool, const SlotId& slot, const std::string& id, const std::string& name) {
  const auto file = pool.files.trash_record(id);
  if (disk::read_trash_record(file)) return;
  make_directories(pool.files.trash_dir(), 0755, true);
  disk::write_trash_record(file, {id, pool.key.str(), slot.str(), name, wall_now()});
  FAILPOINT("keep.recorded");
}

void commit_kept(const git::RefTransaction& transaction, const git::Git& source, git::HeldPack pack) {
  transaction.commit(source);
  if (pack.stands()) return;
  fail(core::Fault::host_fault, core::ErrorKind::git_failed,
       "a pack of the work was deleted while it was saved; it is saved again");
}

git::HeldPack keep_objects(const git::Git& git, const std::vector<Oid>& tips, const Oid& since) {
  try {
    return git::hold_objects(git, tips, {since});
  } catch (const core::Error& error) {
    if (error.kind != core::ErrorKind::quarantined) throw;
    throw FaultError{core::Fault::quarantine, error};
  }
}

}  // namespace wtpool::jobs
