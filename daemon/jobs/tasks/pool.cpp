// Pools as a whole: made, loaded, taken away; and what the source is asked.
#include "daemon/jobs/tasks/pool.hpp"

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <set>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/base/url.hpp"
#include "common/files/files.hpp"
#include "daemon/disk/land_record.hpp"
#include "daemon/disk/marker.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/process/own_locks.hpp"
#include "daemon/git/process/stale_locks.hpp"
#include "daemon/git/source/fetch.hpp"
#include "daemon/git/source/mirror.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/git/work/rebuild.hpp"
#include "daemon/git/work/save.hpp"
#include "daemon/jobs/slot/blame.hpp"
#include "daemon/jobs/slot/entry_repair.hpp"
#include "daemon/jobs/slot/facts.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/slot/pool_config.hpp"
#include "daemon/jobs/slot/source_away.hpp"
#include "daemon/jobs/steps/cloned_slot.hpp"
#include "daemon/jobs/steps/slot_directory.hpp"
#include "daemon/jobs/tasks/clone_source.hpp"
#include "daemon/jobs/trash/submodules.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {
namespace {

std::shared_ptr<const disk::FileLock> lock_pool(const JobContext& job, const disk::PoolFiles& files, const PoolKey& key) {
  if (const auto served = job.pools->find(key)) {
    // The lock is of the file that stands there: a pool that was taken away and made anew has another.
    const auto held = lstat_of(files.pool_lock());
    struct ::stat ours {};
    if (held && ::fstat(served->lock->descriptor(), &ours) == 0 && held->st_ino == ours.st_ino && held->st_dev == ours.st_dev) {
      return served->lock;
    }
  }
  auto lock = disk::FileLock::try_take(files.pool_lock());
  if (!lock) {
    core::Error error(core::ErrorKind::pool_unavailable,
                      "cannot serve pool " + key.str() + ": another process holds its lock " + files.pool_lock().string(),
                      "wtpool unstick --pool " + proto::shell_word(key.str()));
    error.pool = key.str();
    throw FaultError{core::Fault::slot_busy, error};
  }
  lock->set_text("pid: " + std::to_string(::getpid()) + "\n");
  return std::make_shared<const disk::FileLock>(std::move(*lock));
}

std::string repository_name(const git::SourceFacts& source) {
  const disk::path path = source.worktree ? disk::path(*source.worktree) : disk::path(source.common_dir);
  std::string name = path.filename().string();
  if (name == ".git") name = path.parent_path().filename().string();
  if (name.size() > 4 && name.ends_with(".git")) name.resize(name.size() - 4);
  return name;
}

// What a daemon that was killed did not come to rename. Only before this one writes there itself.
void remove_unfinished(const ServedPool& pool, const std::vector<core::SlotFacts>& slots) {
  const auto& files = pool.files;
  for (const auto& folder : {files.meta(), files.init_dir(), files.quarantine_dir(), files.trash_dir()}) remove_staged(folder);
  for (const auto& slot : slots) {
    if (slot.git_id.empty()) continue;
    const disk::EntryFiles entry(pool.place.source, slot.git_id);
    for (const auto& folder : {entry.entry, entry.own(), entry.pristine()}) remove_staged(folder);
  }
}

[[noreturn]] void refuse_init(core::ErrorKind kind, const std::string& why, const std::string& hint = {}) {
  throw core::Error(kind, "cannot make the pool: " + why, hint);
}

void refuse_pool_that_exists(const JobContext& job, const std::string& key) {
  if (bad_pool_key(key)) return;
  const disk::PoolFiles files(real_path(disk::path(job.host.pools_root)) / key);
  if (!lstat_of(files.config())) return;
  refuse_init(core::ErrorKind::pool_exists, "pool '" + key + "' exists already at " + files.root.string(),
              "wtpool ls --pool " + proto::shell_word(key));
}

// A marker is synced and what git writes is not, so after a power loss it is the marker that knows where HEAD was.
void heal_heads(const ServedPool& pool) {
  const std::string& common = pool.place.source.str();
  for (const auto& entry : git::list_entries(common)) {
    if (entry.worktree.empty() || disk::path(entry.worktree).parent_path() != pool.files.root) continue;
    try {
      const auto read = disk::MarkerFile(disk::EntryFiles(pool.place.source, entry.git_id).marker()).read();
      const auto* const marker = read ? std::get_if<core::Marker>(&*read) : nullptr;
      if (marker != nullptr && git::heal_head(common, entry.git_id, marker->lease.name, marker->lease.full_sha))
        log_warn("HEAD of " + entry.worktree + " was damaged, and was put back where its marker says");
    } catch (const core::Error& error) {
      log_warn("HEAD of " + entry.worktree + " cannot be looked at: " + error.message);  // the others are served
    }
  }
}

// Likewise an index that a power loss left empty or cut: its holder could do nothing in his slot. Only one of before this
// machine was started is looked at, since nobody can be writing it.
void mend_held_indexes(const JobContext& job, const ServedPool& pool) {
  const std::string& common = pool.place.source.str();
  auto context = job.git_context(nullptr);
  context.allowed_filters = pool.config.filters;
  for (const auto& entry : git::list_entries(common)) {
    const disk::EntryFiles files(pool.place.source, entry.git_id);
    const auto index = lstat_of(files.entry / "index");
    if (entry.worktree.empty() || !index || index->st_mtime >= booted_at()) continue;
    if (disk::path(entry.worktree).parent_path() != pool.files.root || !lstat_of(files.marker())) continue;
    if (git::disproof_of_place(common, entry.git_id, entry.worktree)) continue;
    try {
      if (const auto aside = git::mend_index(git::Git({files.entry.string(), entry.worktree, common}, context)))
        log_warn("the index of " + entry.worktree + " could not be read, and was made anew from HEAD; it is kept as " +
                 aside->string());
    } catch (const core::Error& error) {
      if (error.kind == core::ErrorKind::cancelled) throw;
      log_warn("the index of " + entry.worktree + " cannot be read, and cannot be made anew: " + error.message);
    }
  }
}

// A slot's directory was renamed out of the way, its work kept before that, and then the daemon or the machine stopped.
void finish_removals(const ServedPool& pool) {
  const std::string& common = pool.place.source.str();
  for (const auto& directory : children_of(pool.files.meta())) {
    if (!directory.filename().string().starts_with(kRemoving)) continue;
    const SlotId slot(directory.filename().string().substr(kRemoving.size()));
    if (!disk::parse_slot_id(slot.str())) continue;
    const auto facts = read_facts(pool, slot, git::list_entries(common));
    const bool nobodys = facts.marker_read == core::SlotFacts::MarkerRead::absent && !facts.intent;
    try {
      if (nobodys && facts.directory == core::SlotFacts::Directory::absent && facts.entry == core::SlotFacts::Entry::sound) {
        (void)keep_submodule_repositories(pool, slot, facts.git_id, {}, new_trash_id(LeaseId(random_hex(32))));
        git::remove_entry(common, facts.git_id);
      }
      remove_slot_directory(directory);
      log_warn("finished removing " + slot.str() + ", which was cut off");
    } catch (const core::Error& error) {
      log_warn("cannot finish removing " + slot.str() + ": " + error.message);
    }
  }
}

// Snapshots that a kill left beside their slots.
void remove_slots_in_the_making(const ServedPool& pool) {
  for (const auto& directory : children_of(pool.files.meta())) {
    if (!directory.filename().string().starts_with("new-")) continue;
    try {
      remove_slot_directory(directory);
    } catch (const core::Error& error) {
      log_warn("cannot remove " + directory.string() + ": " + error.message);
    }
  }
}

// A slip in `source:` would make every slot a stranger's, and its record outlasts the slip. Of a pool that is served only,
// which keeps its last good config: what stands in a slot is its holder's to write, and must not keep a pool from being served.
void refuse_others_slots(const ServedPool& pool) {
  std::optional<std::string> refused;
  disk::path others;
  for (const auto& directory : children_of(pool.files.root)) {
    if (!disk::parse_slot_id(directory.filename().string())) continue;
    const auto repository = git::repository_of(directory);
    if (!repository) continue;
    if (real_path(*repository) == disk::path(pool.source.common_dir)) return;
    refused = directory.filename().string();
    others = *repository;
  }
  if (!refused) return;
  throw core::Error(core::ErrorKind::bad_config,
                    "cannot use " + pool.files.config().string() + ": source: names " + printable(pool.source.common_dir) +
                        ", and " + *refused + " is a worktree of " + printable(others.string()),
                    "set source: back in " + pool.files.config().string());
}

std::string what_stays(const ServedPool& pool, const std::set<std::string>& kept, const git::TrashRefs& in_source) {
  const bool has_refs = std::ranges::any_of(kept, [&](const std::string& id) { return in_source.contains(id); });
  return std::to_string(kept.size()) + (kept.size() == 1 ? " entry" : " entries") + " of the trash of pool " + pool.key.str() +
         (kept.size() == 1 ? " stays" : " stay") + ", by ID in " + pool.files.trash_dir().string() +
         (has_refs ? " and below refs/wtpool/trash/ of " + pool.place.source.str() : std::string{});
}

}  // namespace

core::JobDone load_pool(JobContext& job, const core::job::LoadPool& spec) {
  const auto root = real_path(disk::path(job.host.pools_root) / spec.pool.str());
  auto pool = std::make_shared<ServedPool>(ServedPool{spec.pool, disk::PoolFiles(root), {}, {}, {}, nullptr, nullptr});
  const auto stat = lstat_of(root);
  if (!stat || !S_ISDIR(stat->st_mode)) {
    throw core::Error(core::ErrorKind::pool_unavailable,
                      "pool " + spec.pool.str() + " is unavailable: " + root.string() + " is not there");
  }
  pool->config = read_pool_config(spec.pool, pool->files);
  pool->lock = lock_pool(job, pool->files, spec.pool);
  pool->source = open_source_of(spec.pool, pool->files, pool->config.source, job.git_context(nullptr));
  const auto served = job.pools->find(spec.pool);
  const bool same_source = served && served->source.common_dir == pool->source.common_dir;
  if (served && !same_source) refuse_others_slots(*pool);
  pool->helpers = same_source ? served->helpers : git::make_helpers(pool->source.common_dir);
  pool->place.root = root.string();
  pool->place.source = SourceId(pool->source.common_dir);
  pool->place.worktree = pool->source.worktree;
  pool->place.url = git::mirrored_url(pool->source.common_dir);
  pool->place.device = static_cast<std::uint64_t>(stat->st_dev);
  make_directories(pool->files.init_dir());
  pool->templates = served ? served->templates : std::make_shared<TemplateBook>(pool->files);

  if (!same_source) git::heal_locks_of_past_boots(pool->source.common_dir);
  (void)restore_own_entries(*pool);
  heal_heads(*pool);
  if (!served) {
    mend_held_indexes(job, *pool);
    finish_removals(*pool);
    remove_slots_in_the_making(*pool);
  }

  const auto entries = git::list_entries(pool->source.common_dir);
  core::done::LoadedPool loaded;
  for (const auto& slot : slots_on_disk(*pool, entries)) {
    auto facts = read_facts(*pool, slot, entries);
    if (facts.entry == core::SlotFacts::Entry::sound && facts.directory == core::SlotFacts::Directory::sound) {
      git::lock_entry(pool->source.common_dir, facts.git_id, "wtpool " + spec.pool.str());
      // An acquire that was killed before it said so leaves HEAD locked, and git gc of the source fails by it.
      const bool idle = facts.marker_read == core::SlotFacts::MarkerRead::absent && !facts.intent && !facts.quarantine;
      if (idle && !served && !disk::FileLock::is_held(pool->files.slot_lock(slot)))
        (void)git::heal_own_locks(disk::EntryFiles(pool->place.source, facts.git_id).entry, pool->files.slot(slot),
                                  std::chrono::milliseconds(0));
      // What an adopted idle slot brings along is the pool's own; later additions are its holders'.
      const disk::EntryFiles entry(pool->place.source, facts.git_id);
      if (!facts.marker && facts.marker_read == core::SlotFacts::MarkerRead::absent && !lstat_of(entry.pristine())) {
        git::keep_private_config(entry.entry.string(), entry.pristine().string());
      }
    }
    loaded.slots.push_back(std::move(facts));
  }
  require_source(*pool);  // what was read while it went away is nothing to go by
  if (!served) remove_unfinished(*pool, loaded.slots);
  loaded.config = pool->config;
  loaded.place = pool->place;
  loaded.fetched_at = git::last_fetch(pool->source.common_dir);
  loaded.landings_cut_off = !served && !disk::land_ids(pool->place.source).empty();
  job.pools->put(pool);
  if (!served) {
    JobContext own = job;
    own.pool = pool;
    delete_unused_templates(own);
  }
  return loaded;
}

core::JobDone init_pool(JobContext& job, const core::job::InitPool& spec) {
  auto params = spec.params;
  core::PoolConfig config;
  const std::optional<std::string> url = is_url(params.source) ? std::optional(params.source) : std::nullopt;
  if (url && params.pool) refuse_pool_that_exists(job, *params.pool);  // before a long fetch for nothing
  if (url) params.source = mirror_for_pool(job, params);
  if (!url && params.reference) {
    refuse_init(core::ErrorKind::invalid_params,
                "a reference is of use with a URL, and " + printable(params.source) + " is a path");
  }
  const auto source = git::open_source(params.source, job.git_context(nullptr));
  const std::string key = params.pool.value_or(url ? git::name_of_url(*url) : repository_name(source));
  if (const auto why = bad_pool_key(key)) {
    refuse_init(core::ErrorKind::invalid_params, "its key '" + printable(key) + "' " + *why,
                "wtpool init --pool KEY --source REPO");
  }
  for (const std::string& group : params.groups) {
    const bool twice = std::ranges::count(params.groups, group) > 1;
    if (const auto why = twice ? std::optional<std::string>("is named twice") : bad_group(group)) {
      refuse_init(core::ErrorKind::invalid_params, "its group '" + printable(group) + "' " + *why,
                  "wtpool init --source REPO --groups one,other");
    }
  }
  const disk::PoolFiles files(real_path(disk::path(job.host.pools_root)) / key);
  refuse_pool_that_exists(job, key);
  config.source = source.worktree.value_or(source.common_dir);
  config.max_slots = params.max_slots.value_or(16);
  config.groups = params.groups;
  config.default_commit = params.default_commit.value_or(std::string{});
  config.submodule_mirror_mode = params.submodule_mirror_mode;
  config.submodule_mirror_base = params.submodule_mirror_base;
  const git::Git git({source.common_dir, {}}, job.git_context(nullptr));
  if (config.default_commit.empty()) {
    config.default_commit = git::default_commit_of(source, job.git_context(nullptr));
  } else if (!git::ids_of(git, {config.default_commit + "^{commit}"}).front()) {
    refuse_init(core::ErrorKind::commit_unknown,
                "the default commit '" + printable(config.default_commit) + "' is unknown in " + params.source,
                "git -C " + proto::shell_word(params.source) + " branch -a");
  }
  const std::string text = disk::format_pool_config(config);
  (void)disk::parse_pool_config(text, files.config());  // what init writes, the daemon reads

  const bool had_root = is_directory_no_follow(files.root) || lstat_of(files.root);
  make_directories(files.meta(), 0755, true);
  FAILPOINT("init.directories-made");
  try {
    write_durably(files.config(), text, 0644);
  } catch (const core::Error&) {
    if (!had_root) remove_tree(files.root);
    throw;
  }
  FAILPOINT("init.config-written");
  return core::done::PoolMade{{key, config.source, files.root.string()}};
}

core::JobDone remove_pool(JobContext& job, const core::job::RemovePool&) {
  const auto& files = job.pool->files;
  FAILPOINT("remove-pool.begun");
  // A source that is gone keeps nothing any more, and must not keep its pool from being taken away.
  const bool has_source = lstat_of(job.pool->place.source.str()).has_value();
  if (job.pool->templates) {
    for (const auto& each : job.pool->templates->all()) (void)job.pool->templates->drop(each->record.id);
    delete_unused_templates(job);
  }
  const auto kept_in_source = has_source ? git::list_trash(job.source_git()) : git::TrashRefs{};
  unlink_durably(files.config());
  FAILPOINT("remove-pool.config-removed");
  std::error_code ignored;
  for (const auto& folder : {files.init_dir(), files.quarantine_dir(), files.template_dir()}) {
    if (is_directory_no_follow(folder)) remove_tree(folder);
  }
  // Kept work outlives its pool: its records stay as long as its refs do.
  std::set<std::string> kept;
  for (const auto& record : children_of(files.trash_dir())) {
    const std::string id = record.stem().string();  // of <ID>.yaml, <ID>.deleted and <ID>
    if (record.extension() != ".yaml" || kept_in_source.contains(id) || lstat_of(files.trash_files(id))) {
      kept.insert(id);
    } else {
      unlink_durably(record);
    }
  }
  const auto lock = job.pool->lock;
  FAILPOINT("remove-pool.folders-removed");
  unlink_durably(files.pool_lock());
  unlink_durably(files.running_time());
  if (kept.empty()) {
    std::filesystem::remove(files.trash_dir(), ignored);
    std::filesystem::remove(files.meta(), ignored);
    std::filesystem::remove(files.root, ignored);
  }
  FAILPOINT("remove-pool.done");
  core::done::PoolRemoved removed;
  if (!kept.empty()) removed.warnings.push_back(what_stays(*job.pool, kept, kept_in_source));
  job.pools->drop(job.pool->key);
  return removed;
}

core::JobDone rewrite_marker(JobContext& job, const core::job::RewriteMarker& spec) {
  prove_place(job, job.grant.git_id);
  (void)disk::MarkerFile(job.entry(job.grant.git_id).marker()).write(spec.marker);
  FAILPOINT("renew.marker-written");
  return core::done::Plain{};
}

core::JobDone quarantine(JobContext& job, const core::job::Quarantine& spec) {
  make_directories(job.pool->files.quarantine_dir(), 0755, true);
  disk::write_quarantine(job.pool->files.quarantine(job.grant.slot), {spec.reason, wall_now(), spec.doing});
  return core::done::Plain{};
}

}  // namespace wtpool::jobs
