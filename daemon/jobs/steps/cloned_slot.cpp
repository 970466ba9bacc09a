// A snapshot is made beside the slot and exchanged with its directory in one rename; files are cloned into the slot itself.
#include "daemon/jobs/steps/cloned_slot.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <set>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/clone.hpp"
#include "common/platform/clone_tree.hpp"
#include "common/platform/process.hpp"
#include "common/platform/subvolume.hpp"
#include "daemon/git/files/index_file.hpp"
#include "daemon/git/files/index_repair.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/tree/checkout_settings.hpp"

namespace wtpool::jobs {
namespace {

constexpr std::uint64_t kSnapshotIndexLimit = std::uint64_t{1} << 30;

bool is_whole(const Template& of) {
  const auto& record = of.record;
  // What was not synced may be half there after a power loss.
  if (!record.synced && record.boot_id != platform::boot_id()) return false;
  if (record.generation && generation_of(of.tree()) != record.generation) return false;
  return is_directory_no_follow(of.tree()) && lstat_of(of.index()).has_value();
}

void use_no_more(const Template& of, const std::string& why) {
  if (of.damaged.exchange(true)) return;
  log_warn("template " + of.record.id + " is damaged and used no more: " + why);
}

// The slot is a snapshot from here on: its place and its .git file are as before.
void fill_by_snapshot(const JobContext& job, const Template& of, const std::vector<std::string>& without) {
  const auto slot = job.slot_path();
  const auto made = job.pool->files.in_the_making(job.grant.slot);
  if (lstat_of(made)) remove_slot_directory(made);
  try {
    snapshot_subvolume(of.tree(), made);
    FAILPOINT("create.snapshot-made");
    for (const std::string& path : without) remove_tree(made / path);
    const auto gitfile = read_file(slot / ".git");
    if (!gitfile) throw io_error("cannot read", slot / ".git", ENOENT);
    write_durably(made / ".git", *gitfile, 0644);
    exchange(slot, made);
    FAILPOINT("create.exchanged");
  } catch (...) {
    try {
      remove_slot_directory(made);
    } catch (const core::Error& error) {
      log_warn("cannot remove " + made.string() + ": " + error.message);
    }
    throw;
  }
  remove_slot_directory(made);
}

// Files that a clone made beside .git.
void empty_slot(const disk::path& slot) {
  for (const auto& child : children_of(slot))
    if (child.filename() != ".git") remove_tree(child);
}

bool fill_by_reflinks(const JobContext& job, const Template& of, const std::vector<std::string>& without) {
  CloneOptions options;
  options.unchanged_since = of.record.made_ns;
  options.stop = [&job] { return job.stop.stop_requested(); };
  if (!without.empty()) {
    options.keep = [&without](const std::string& path, bool is_directory) {
      if (std::ranges::find(without, path) != without.end()) return Keep::no;
      const bool leads_there =
          is_directory && std::ranges::any_of(without, [&](const std::string& out) { return out.starts_with(path + "/"); });
      return is_directory && !leads_there ? Keep::all : Keep::yes;
    };
  }
  const CloneReport report = clone_tree(of.tree(), job.slot_path(), options);
  FAILPOINT("create.cloned");
  if (report.changed.empty() && report.left_out.empty()) return true;
  use_no_more(of, (report.changed.empty() ? report.left_out : report.changed).front() + " changed since it was made");
  empty_slot(job.slot_path());
  return false;
}

// The template's index tells what a snapshot's files are: a snapshot keeps inodes and times.
void copy_index(const disk::path& from, const disk::path& to) {
  const auto text = read_file(from, kSnapshotIndexLimit);
  if (!text) throw io_error("cannot read", from, ENOENT);
  if (git::is_damaged_index(from)) throw core::Error(core::ErrorKind::io_error, from.string() + " is damaged");
  write_atomically(to, *text, 0644);
}

}  // namespace

HowToCreate how_to_create(const ServedPool& pool) {
  const core::Create asked = pool.config.create;
  if (asked == core::Create::checkout) return {Way::checkout, "create: checkout"};
  const bool snapshots = asked != core::Create::reflink && can_snapshot(pool.files.meta());
  if (snapshots) return {Way::snapshot, {}};
  const CloneProbe probe = can_clone(pool.files.meta());
  if (probe.works && asked != core::Create::snapshot) return {Way::reflink, {}};
  return {Way::checkout, probe.works ? file_system_name(pool.files.meta()) + ": no snapshots" : probe.why};
}

core::Error cannot_freeze(const ServedPool& pool, const std::string& why) {
  const bool by_config = pool.config.create == core::Create::checkout;
  return {core::ErrorKind::io_error,
          "cannot freeze a slot of pool '" + pool.key.str() + "': new slots are checked out here (" + why + ")",
          by_config ? "set create: auto in " + pool.files.config().string()
                    : "put the pools root on XFS or btrfs, or share build output with wtpool store"};
}

std::shared_ptr<const Template> template_for(const JobContext& job, const std::optional<std::string>& group) {
  const auto& book = job.pool->templates;
  auto found = book ? book->usable(group) : nullptr;
  if (!found || how_to_create(*job.pool).way == Way::checkout) return nullptr;
  if (!is_whole(*found)) {
    use_no_more(*found, "it is not as it was made");
    return nullptr;
  }
  if (git::checkout_settings(job.source_git(), job.pool->config.filters) != found->record.settings) {
    log_warn("template " + found->record.id + " is not used: git's settings for the content of files are others now");
    return nullptr;
  }
  return found;
}

std::optional<std::string> damage_of(const Template& of) {
  if (of.damaged) return "a file of it changed after it was frozen";
  if (!is_whole(of)) return "it is not as it was frozen";
  if (of.record.generation) return std::nullopt;
  std::error_code failed;
  for (std::filesystem::recursive_directory_iterator each(of.tree(), failed), end; !failed && each != end;
       each.increment(failed)) {
    const auto stat = lstat_of(each->path());
    if (!stat || S_ISDIR(stat->st_mode) || changed_ns(*stat) <= of.record.made_ns) continue;
    return printable(each->path().lexically_relative(of.tree()).string()) + " changed after it was frozen";
  }
  return std::nullopt;
}

std::optional<std::string> say_once_why_checkout(const ServedPool& pool) {
  using core::Create;
  if (pool.config.create != Create::snapshot && pool.config.create != Create::reflink) return std::nullopt;
  const HowToCreate how = how_to_create(pool);
  if (how.way != Way::checkout) return std::nullopt;
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  if (!told.insert(pool.files.root.string()).second) return std::nullopt;
  return "new slots of pool '" + pool.key.str() + "' are checked out, whatever create: says: " + how.why;
}

std::vector<std::string> misguarded(const git::Git& source, const Template& of, const Oid& commit) {
  std::vector<std::string> questions;
  for (const auto& carried : of.record.carried)
    for (const auto& guard : carried.guards) questions.push_back(commit.str() + ":" + guard.path);
  if (questions.empty() || commit == of.record.commit) return {};
  const auto ids = git::ids_of(source, questions);
  std::vector<std::string> others;
  std::size_t at = 0;
  for (const auto& carried : of.record.carried) {
    bool same = true;
    for (const auto& guard : carried.guards) {
      const auto& id = ids[at++];
      same = same && (id ? id->str() : std::string{}) == guard.id;
    }
    if (!same) others.push_back(carried.path);
  }
  return others;
}

namespace {

// Faults of the host, and a caller who left, say nothing of the template.
bool speaks_of_template(const core::Error& error) {
  return error.kind == core::ErrorKind::io_error || error.kind == core::ErrorKind::permission_denied;
}

bool fill(const JobContext& job, const Template& of, const std::string& git_id, const std::vector<std::string>& without,
          proto::Creation& creation) {
  const auto index = job.entry(git_id).entry / "index";
  const bool snapshot = how_to_create(*job.pool).way == Way::snapshot && is_subvolume(of.tree());
  if (snapshot) {
    fill_by_snapshot(job, of, without);
    copy_index(of.index(), index);
  } else {
    if (!fill_by_reflinks(job, of, without)) return false;
    (void)git::repair_index(of.index(), of.tree(), job.slot_path(), index);
  }
  FAILPOINT("create.index-written");
  creation.created = snapshot ? "snapshot" : "reflink";
  for (const auto& carried : of.record.carried) {
    if (std::ranges::find(without, carried.path) != without.end()) {
      creation.left_out.push_back({carried.path, "guard"});
    } else {
      creation.carried.files += carried.files;
      creation.carried.bytes += carried.bytes;
    }
  }
  return true;
}

}  // namespace

bool fill_from_template(const JobContext& job, const Template& of, const std::string& git_id,
                        const std::vector<std::string>& without, proto::Creation& creation) {
  try {
    return fill(job, of, git_id, without, creation);
  } catch (const core::Error& error) {
    if (!speaks_of_template(error)) throw;
    use_no_more(of, error.message);
  }
  empty_slot(job.slot_path());
  (void)unlink_durably(job.entry(git_id).entry / "index");
  return false;
}

void remove_slot_directory(const disk::path& directory) {
  if (!remove_subvolume(directory)) remove_tree(directory);
}

void delete_unused_templates(const JobContext& job) {
  if (!job.pool || !job.pool->templates) return;
  for (const std::string& id : job.pool->templates->take_unused()) {
    try {
      const auto directory = job.pool->files.template_files(id);
      const auto tree = directory / "tree";
      // Without its record it is found again as one to delete, whatever becomes of the rest.
      unlink_durably(directory / "template.yaml");
      FAILPOINT("template.unrecorded");
      const std::string ref = "refs/wtpool/template/" + id;
      if (const auto pinned = git::ids_of(job.source_git(), {ref}).front()) {
        git::RefTransaction unpin;
        unpin.remove(ref, *pinned);
        unpin.commit(job.source_git());
      }
      FAILPOINT("template.unpinned");
      if (!remove_subvolume(tree) && is_read_only(tree)) set_read_only(tree, false);
      remove_tree(directory);
      log_info("template " + id + " of pool " + job.pool->key.str() + " is deleted");
    } catch (const core::Error& error) {
      log_warn("cannot delete template " + id + ": " + error.message);
    }
  }
}

}  // namespace wtpool::jobs
