// The clone is made in a directory of the slot's own and moved to its place in one rename, the old one out of it before. A kill
// between the two leaves the path absent, never half there.
#include "daemon/jobs/steps/restock.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/fd.hpp"
#include "common/files/files.hpp"
#include "common/platform/clone_tree.hpp"
#include "daemon/jobs/steps/cloned_slot.hpp"

namespace wtpool::jobs {
namespace {

constexpr const char* kAside = ".wtpool-restock";

Fd open_below(int at, const std::string& name) {
  return Fd(::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// The directory that `path` stands in, whatever its name leads to meanwhile: no symlink on the way is followed.
Fd open_parent(const disk::path& slot, const disk::path& path) {
  Fd at(::open(slot.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  for (const auto& part : path.parent_path()) {
    if (!at.valid()) break;
    at = open_below(at.get(), part.string());
  }
  if (!at.valid()) throw io_error("cannot open the directory of", slot / path, errno);
  return at;
}

void replace(const JobContext& job, const Template& from, const std::string& path) {
  const auto slot = job.slot_path();
  remove_half_restocked(slot);
  make_directories(slot / kAside / "new");
  CloneOptions options;
  options.unchanged_since = from.record.made_ns;
  options.stop = [&job] { return job.stop.stop_requested(); };
  const CloneReport report = clone_tree(from.tree() / path, slot / kAside / "new", options);
  FAILPOINT("restock.cloned");
  if (!report.changed.empty() || !report.left_out.empty())
    throw core::Error(core::ErrorKind::io_error, "template " + from.record.id + " changed since it was made");
  const Fd parent = open_parent(slot, path);
  const Fd root = open_parent(slot, disk::path(kAside) / "new");
  const std::string name = disk::path(path).filename().string();
  if (::renameat(parent.get(), name.c_str(), root.get(), "old") != 0) throw io_error("cannot set aside", slot / path, errno);
  FAILPOINT("restock.old-aside");
  if (::renameat(root.get(), "new", parent.get(), name.c_str()) != 0) {
    const int why = errno;
    (void)::renameat(root.get(), "old", parent.get(), name.c_str());
    throw io_error("cannot restock", slot / path, why);
  }
  FAILPOINT("restock.replaced");
}

const disk::CarriedPath* carried_at(const Template& from, const std::string& path) {
  const auto& all = from.record.carried;
  const auto found = std::ranges::find(all, path, &disk::CarriedPath::path);
  return found == all.end() || !is_directory_no_follow(from.tree() / path) ? nullptr : &*found;
}

}  // namespace

void restock(const JobContext& job, const std::optional<std::string>& group, const Oid& commit, std::vector<std::string>& stale,
             proto::Creation& creation, std::vector<std::string>& warnings) {
  if (stale.empty()) return;
  const auto from = template_for(job, group);
  if (!from) return;
  const auto others = misguarded(job.source_git(), *from, commit);
  std::vector<std::string> left;
  for (const std::string& path : stale) {
    const auto* carried = carried_at(*from, path);
    if (carried == nullptr || std::ranges::find(others, path) != others.end()) {
      left.push_back(path);
      continue;
    }
    job.progress("restocking");
    try {
      replace(job, *from, path);
      creation.carried.files += carried->files;
      creation.carried.bytes += carried->bytes;
    } catch (const core::Error& error) {
      if (error.kind == core::ErrorKind::cancelled) throw;
      warnings.push_back(printable(path) + " in " + job.grant.slot.str() + " is not restocked: " + error.message);
      left.push_back(path);
    }
  }
  stale = std::move(left);
  remove_half_restocked(job.slot_path());
}

void remove_half_restocked(const disk::path& slot) {
  if (lstat_of(slot / kAside)) remove_tree(slot / kAside);
}

}  // namespace wtpool::jobs
