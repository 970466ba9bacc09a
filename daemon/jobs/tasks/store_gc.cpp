// gc: marks by the roots, looks for links that no root knows, and only then removes.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/jobs/tasks/store.hpp"
#include "daemon/store/collect.hpp"
#include "daemon/store/graft.hpp"
#include "daemon/store/names.hpp"

namespace wtpool::jobs {
namespace {

namespace fs = std::filesystem;

class Collection {
 public:
  Collection(JobContext& job, const proto::StoreGcParams& params) : job_(job), params_(params), store_(*job.store) {}

  proto::StoreGcResult run() {
    store_.begin_collecting();
    const std::set<std::string> rooted = rooted_keys();
    store::CollectRules rules;
    rules.now = wall_now();
    rules.older_than = params_.older_than_seconds.value_or(rules.older_than);
    if (params_.keep_bytes) rules.keep = static_cast<std::uint64_t>(*params_.keep_bytes);
    std::vector<store::Collectable> entries;
    for (const std::string& key : store_.keys()) {
      const auto record = store_.record(key);
      entries.push_back({key, record ? record->bytes : 0, store_.used_at(key)});
    }
    const store::CollectPlan plan = store::plan_collection(std::move(entries), rooted, rules);
    for (const auto& [key, why] : plan.kept) result_.kept.push_back({key, why});
    if (!plan.take.empty()) take(plan.take);
    if (params_.archives) take_archives(*params_.archives, rules);
    if (!params_.dry_run) store_.delete_doomed();
    return std::move(result_);
  }

 private:
  // A directory that is gone has no root any more; one that cannot be looked at, and a pool that is away, keep theirs.
  bool is_gone(const disk::RootRecord& record) const {
    struct ::stat status {};
    if (::lstat(record.path.c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR)) return false;
    if (record.pool.empty()) return true;
    return job_.pools->find(PoolKey(record.pool)) != nullptr && lstat_of(fs::path(record.path).parent_path());
  }

  std::set<std::string> rooted_keys() {
    const auto roots = store_.roots();
    if (!roots.unreadable.empty())
      throw core::Error(core::ErrorKind::io_error,
                        "nothing is collected: the root " + printable(roots.unreadable.front().native()) + " cannot be read",
                        "wtpool doctor");
    std::set<std::string> keys;
    for (const auto& [file, record] : roots.read) {
      if (is_gone(record)) {
        if (!params_.dry_run) store_.remove_root(file);
        continue;
      }
      roots_.push_back(record);
      const bool reachable = lstat_of(record.path).has_value();
      for (const disk::Graft& graft : record.grafts) {
        if (graft.placing || !reachable || has_any(record, graft)) keys.insert(graft.key);
      }
    }
    return keys;
  }

  // Somebody may have deleted all of a graft's links by hand.
  bool has_any(const disk::RootRecord& record, const disk::Graft& graft) const {
    return std::ranges::any_of(graft.links, [&](const disk::GraftLink& link) {
      const auto state = store::state_of(store_, record.path, graft.key, link);
      return state != store::LinkState::gone && state != store::LinkState::overridden;
    });
  }

  // Links that no root knows, in slots and in the directories that roots name.
  std::set<std::string> linked_keys() {
    std::set<std::string> keys;
    const auto look = [&](const disk::RootRecord& whose, const fs::path& root_file) {
      for (auto& [key, links] : store::links_into(store_, whose.path)) {
        keys.insert(key);
        if (params_.dry_run) continue;
        store_.change_root(root_file, whose, [&, &k = key, &found = links](disk::RootRecord& record) {
          const bool known = std::ranges::any_of(record.grafts, [&](const disk::Graft& graft) { return graft.key == k; });
          if (!known) record.grafts.push_back({k, "", "link", "", false, found});
        });
      }
    };
    for (const fs::path& pool : children_of(job_.host.pools_root)) {
      const std::string key = pool.filename().string();
      if (key.starts_with('.') || !is_directory_no_follow(pool / ".meta")) continue;
      for (const fs::path& slot : children_of(pool)) {
        const std::string name = slot.filename().string();
        if (name.starts_with('.') || !is_directory_no_follow(slot)) continue;
        look({key, name, slot.string(), {}}, store_.slot_root(key, name));
        job_.check_stop();
      }
    }
    for (const disk::RootRecord& root : roots_) {
      if (root.pool.empty()) look({"", "", root.path, {}}, store_.directory_root(root.path));
    }
    return keys;
  }

  void take(const std::vector<store::Collectable>& entries) {
    const std::set<std::string> linked = linked_keys();
    for (const store::Collectable& each : entries) {
      if (linked.contains(each.key)) {
        result_.kept.push_back({each.key, "linked"});
        continue;
      }
      FAILPOINT("store.collecting");
      if (!params_.dry_run && !store_.doom(each.key)) {
        result_.kept.push_back({each.key, "placing"});
        continue;
      }
      result_.removed.push_back(each.key);
      result_.bytes += static_cast<std::int64_t>(each.bytes);
    }
  }

  // Archives that old, whose entry is gone as well.
  void take_archives(const fs::path& directory, const store::CollectRules& rules) {
    for (const fs::path& file : children_of(directory)) {
      const auto key = store::key_of_archive_name(file.filename().string());
      const auto status = lstat_of(file);
      if (!key || !status || !S_ISREG(status->st_mode)) continue;
      const bool is_removed = std::ranges::find(result_.removed, *key) != result_.removed.end();
      if (store_.record(*key) && !is_removed) continue;
      if (rules.now - static_cast<std::int64_t>(status->st_mtime) < rules.older_than) continue;
      if (!params_.dry_run && ::unlink(file.c_str()) != 0) {
        log_warn("cannot remove " + printable(file.native()));
        continue;
      }
      result_.bytes += static_cast<std::int64_t>(status->st_size);
    }
  }

  JobContext& job_;
  const proto::StoreGcParams& params_;
  store::Store& store_;
  std::vector<disk::RootRecord> roots_;
  proto::StoreGcResult result_;
};

}  // namespace

core::JobDone store_gc(JobContext& job, const proto::StoreGcParams& params) {
  core::done::StoreDone done;
  proto::StoreGcResult result = Collection(job, params).run();
  if (!params.dry_run) {
    for (const std::string& key : result.removed) done.events.emplace_back("store_collected", key);
  }
  done.result = std::move(result);
  return done;
}

}  // namespace wtpool::jobs
