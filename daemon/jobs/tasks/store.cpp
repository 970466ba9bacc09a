// The store's verbs but for those that speak of grafts: add, has, ls, verify, and the making of entries.
#include "daemon/jobs/tasks/store.hpp"

#include <unistd.h>

#include <algorithm>

#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/store/extract.hpp"
#include "daemon/store/names.hpp"

namespace wtpool::jobs {
namespace {

store::Limits limits_of(const JobContext& job) {
  store::Limits limits;
  limits.reserve = job.host.reserve_bytes;
  limits.stopped = [&job] { return job.stop.stop_requested(); };
  limits.progress = [&job](std::uint64_t) { job.progress("extracting"); };
  return limits;
}

core::Error absent(const std::string& key) {
  return {core::ErrorKind::not_in_store, key + " is not in the store", "wtpool store add " + key + " ARCHIVE"};
}

// The KEY of a dep at the slot's HEAD; its paths must be what HEAD says, or one dirty build is everybody's.
std::string key_of_dep(JobContext& job, const std::string& name) {
  const auto& deps = job.pool->config.deps;
  const auto dep = std::ranges::find(deps, name, &core::Dep::name);
  if (dep == deps.end())
    throw core::Error(core::ErrorKind::store_refused, "pool " + job.pool->key.str() + " has no dep '" + printable(name) + "'");
  const auto lock = take_slot_lock(job);
  const git::Git slot = job.slot_git(job.grant.git_id, lock);
  const auto head = git::ids_of(slot, {"HEAD"}).front();
  if (!head) throw core::Error(core::ErrorKind::commit_unknown, "the slot's HEAD is at no commit");
  git::Command status;
  status.arguments = {"status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=none", "--"};
  for (const std::string& path : hashed_paths(dep->key)) status.arguments.push_back(":(top,literal)" + path);
  status.task = "look for changes of the dep";
  if (const std::string changed = slot.must(status); !changed.empty()) {
    const std::string first = changed.substr(3, changed.find('\0') - 3);
    throw core::Error(
        core::ErrorKind::dirty,
        "cannot add the dep '" + name + "': " + printable(first) + " has uncommitted changes, and the KEY is made of it",
        "git status");
  }
  const auto filled = job.pool->dep_keys->at(job.source_git(), deps, *head);
  return std::ranges::find(filled, name, &core::Dep::name)->key;
}

core::JobDone add(JobContext& job, const core::job::StoreTask& spec, const proto::StoreAddParams& params) {
  if (spec.key.empty()) {
    std::string key;
    if (params.dep) {
      key = key_of_dep(job, *params.dep);
    } else {
      if (std::filesystem::is_directory(params.archive))
        throw core::Error(core::ErrorKind::invalid_params, "KEY '-' takes an archive, and this is a directory");
      key = store::archive_sha256(params.archive);
    }
    if (const auto why = store::bad_key(key))
      throw core::Error(core::ErrorKind::bad_config, "the KEY '" + printable(key) + "' " + *why);
    return core::done::StoreKeyed{key};
  }
  const store::Store::Pin pin(*job.store, spec.key);
  if (!job.store->usable(spec.key)) return core::done::StoreAbsent{};
  (void)job.store->add(spec.key, params.archive, limits_of(job));  // compares
  return core::done::StoreDone{proto::StoreAddResult{spec.key, false}, {}, {}};
}

core::JobDone has(JobContext& job, const proto::StoreHasParams& params) {
  for (const std::string& key : params.keys) {
    if (!job.store->usable(key)) throw absent(key);
  }
  return core::done::StoreDone{proto::EmptyResult{}, {}, {}};
}

core::JobDone list(JobContext& job) {
  std::map<std::string, std::int64_t> roots;
  for (const auto& [file, record] : job.store->roots().read) {
    std::set<std::string> keys;
    for (const disk::Graft& graft : record.grafts) keys.insert(graft.key);
    for (const std::string& key : keys) ++roots[key];
  }
  proto::StoreListResult result;
  for (const std::string& key : job.store->keys()) {
    const auto record = job.store->record(key);
    if (!record) continue;
    result.entries.push_back({key, record->sha256, static_cast<std::int64_t>(record->files),
                              static_cast<std::int64_t>(record->bytes), record->made_at, job.store->used_at(key), roots[key],
                              record->synced});
  }
  return core::done::StoreDone{std::move(result), {}, {}};
}

core::JobDone verify(JobContext& job, const proto::StoreVerifyParams& params) {
  if (params.key && !job.store->record(*params.key)) throw absent(*params.key);
  std::vector<std::string> wrong;
  for (const std::string& key : params.key ? std::vector{*params.key} : job.store->keys()) {
    const store::Store::Pin pin(*job.store, key);
    std::optional<std::string> at;
    try {
      at = job.store->verify(key);
    } catch (const core::Error& error) {
      at = error.message;
    }
    if (at) wrong.push_back(key + ": " + (at->empty() ? "." : printable(*at)) + " is not as listed");
  }
  if (wrong.empty()) return core::done::StoreDone{proto::EmptyResult{}, {}, {}};
  core::Error error(core::ErrorKind::store_differs, "the store is not as listed: " + wrong.front());
  error.details.assign(wrong.begin() + 1, wrong.end());
  throw error;
}

struct Verb {
  JobContext& job;
  const core::job::StoreTask& spec;
  core::JobDone operator()(const proto::StorePlaceParams& p) const { return store_place(job, p); }
  core::JobDone operator()(const proto::StoreAddParams& p) const { return add(job, spec, p); }
  core::JobDone operator()(const proto::StoreHasParams& p) const { return has(job, p); }
  core::JobDone operator()(const proto::StoreListParams&) const { return list(job); }
  core::JobDone operator()(const proto::StoreStatusParams& p) const { return store_status(job, p); }
  core::JobDone operator()(const proto::StoreThawParams& p) const { return store_thaw(job, p); }
  core::JobDone operator()(const proto::StoreFreezeParams& p) const { return store_freeze(job, p); }
  core::JobDone operator()(const proto::StoreGcParams& p) const { return store_gc(job, p); }
  core::JobDone operator()(const proto::StoreVerifyParams& p) const { return verify(job, p); }
  template <class P>
  core::JobDone operator()(const P&) const {
    throw core::Error(core::ErrorKind::internal, "this request is not of the store");
  }
};

}  // namespace

core::JobDone store_task(JobContext& job, const core::job::StoreTask& spec) {
  job.store->open();
  return std::visit(Verb{job, spec}, spec.params);
}

core::JobDone store_fill(JobContext& job, const core::job::StoreFill& spec) {
  job.store->open();
  struct Printed {
    const core::job::StoreFill& fill;
    ~Printed() {
      if (fill.temporary) (void)::unlink(fill.from.c_str());
    }
  };
  const Printed printed{spec};
  // Only what a command of this host printed into the store's own directory is ever taken away.
  if (spec.temporary && std::filesystem::path(spec.from).parent_path() != job.store->temporary())
    throw core::Error(core::ErrorKind::invalid_params, "the archive of a ticket stands in the store's tmp/");
  try {
    (void)job.store->add(spec.key, spec.from, limits_of(job));
  } catch (core::Error& error) {
    if (error.kind == core::ErrorKind::store_refused) error.message = "cannot make " + spec.key + ": " + error.message;
    throw;
  }
  return core::done::StoreFilled{true};
}

core::JobDone store_tidy(JobContext& job, const core::job::StoreTidy& spec) {
  job.store->open();
  const store::Store::Pin pin(*job.store, spec.key);
  if (job.store->record(spec.key)) job.store->sync(spec.key);
  proto::StoreGcParams limits;
  limits.older_than_seconds = job.host.store_keep;
  if (job.host.store_keep) (void)store_gc(job, limits);
  limits = {};
  limits.keep_bytes = job.host.store_max;
  if (job.host.store_max) (void)store_gc(job, limits);
  return core::done::Plain{};
}

}  // namespace wtpool::jobs
