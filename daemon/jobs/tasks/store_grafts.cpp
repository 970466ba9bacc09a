// place, status, thaw and freeze.
#include <algorithm>

#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/source/refs.hpp"
#include "daemon/jobs/slot/locked_slot.hpp"
#include "daemon/jobs/steps/grafts.hpp"
#include "daemon/jobs/tasks/store.hpp"
#include "daemon/store/names.hpp"

namespace wtpool::jobs {
namespace {

namespace fs = std::filesystem;

bool in_slot(const JobContext& job) { return job.pool != nullptr && !job.grant.slot.empty(); }

// git in the slot, with its lock, for as long as this lives.
class SlotGit {
 public:
  explicit SlotGit(JobContext& job) {
    if (!in_slot(job)) return;
    lock_.emplace(take_slot_lock(job));
    git_.emplace(job.slot_git(job.grant.git_id, *lock_));
  }
  [[nodiscard]] const git::Git* get() const { return git_ ? &*git_ : nullptr; }

 private:
  std::optional<disk::SlotLock> lock_;
  std::optional<git::Git> git_;
};

// `path` relative to `top`, which it is at or below; "" is the top.
std::string relative_to(const fs::path& path, const fs::path& top) {
  const std::string text = path.lexically_relative(top).string();
  if (text == ".") return {};
  if (text.empty() || text == ".." || text.starts_with("../"))
    throw core::Error(core::ErrorKind::store_refused, printable(path.native()) + " is not in " + printable(top.native()));
  return text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

// The roots that a path is of: the slot's, or those of directories at, above or below it.
std::vector<GraftedPlace> places_of(const JobContext& job, const SlotGit& slot, const fs::path& path) {
  if (in_slot(job)) return {grafted_slot(job, slot.get())};
  std::vector<GraftedPlace> places;
  for (const auto& [file, record] : job.store->roots().read) {
    if (!record.pool.empty()) continue;
    if (store::is_at_or_below(path.native(), record.path) || store::is_at_or_below(record.path, path.native()))
      places.push_back(grafted_directory(job, record.path));
  }
  return places;
}

// What is chosen by a path is at or below it. One inside a graft names that.
using Change = std::function<void(const GraftedPlace& at, const std::string& key, disk::GraftLink& link)>;
int for_each_graft(JobContext& job, const std::vector<std::string>& paths, disk::GraftLink::State wanted,
                   const Change& change) {
  int done = 0;
  const SlotGit slot(job);
  for (const std::string& path : paths) {
    bool known = false;
    for (const GraftedPlace& at : places_of(job, slot, path)) {
      auto record = lstat_of(at.root_file) ? job.store->read_root(at.root_file) : std::nullopt;
      if (!record) continue;
      for (disk::Graft& graft : record->grafts) {
        for (disk::GraftLink& link : graft.links) {
          const std::string full = (at.place.top / link.path).string();
          if (full != path && store::is_at_or_below(path, full))
            throw core::Error(core::ErrorKind::store_refused,
                              printable(path) + " is inside the graft " + printable(link.path) + " of " + graft.key,
                              "wtpool store thaw " + full);
          if (!store::is_at_or_below(full, path) || link.state == disk::GraftLink::State::overridden) continue;
          known = true;
          if (link.state != wanted) continue;
          change(at, graft.key, link);
          ++done;
          job.store->change_root(at.root_file, at.whose, [&](disk::RootRecord& now) {
            for (disk::Graft& each : now.grafts) {
              if (each.key != graft.key) continue;
              for (disk::GraftLink& one : each.links) {
                if (one.path == link.path) one.state = link.state;
              }
            }
          });
        }
      }
    }
    if (!known)
      throw core::Error(core::ErrorKind::store_refused, "there is no graft at or below " + printable(path),
                        "wtpool store status");
  }
  return done;
}

std::string state_of_graft(const JobContext& job, const disk::Graft& graft, const std::vector<proto::StoreLinkInfo>& links) {
  if (!job.store->record(graft.key)) return "missing";
  const bool gone = std::ranges::any_of(links, [](const proto::StoreLinkInfo& link) { return link.state == "gone"; });
  return graft.placing || gone ? "incomplete" : "placed";
}

std::map<std::string, std::string> wanted_keys(const JobContext& job, const SlotGit& slot) {
  std::map<std::string, std::string> keys;
  if (slot.get() == nullptr || job.pool->config.deps.empty()) return keys;
  const auto head = git::ids_of(*slot.get(), {"HEAD"}).front();
  if (!head) return keys;
  for (const core::Dep& dep : job.pool->dep_keys->at(job.source_git(), job.pool->config.deps, *head)) keys[dep.name] = dep.key;
  return keys;
}

// A thaw that was killed after its copy came into the link's place: it is done, but for the record.
bool cut_off_thaw(const JobContext& job, const GraftedPlace& at, const std::string& key, disk::GraftLink& link) {
  const auto stat = lstat_of(at.place.top / link.path);
  if (!stat || S_ISLNK(stat->st_mode) || store::drift_of(*job.store, at.place.top, key, link)) return false;
  link.state = disk::GraftLink::State::thawed;
  return true;
}

}  // namespace

core::JobDone store_place(JobContext& job, const proto::StorePlaceParams& params) {
  const auto mode = store::graft_mode_from(params.mode.value_or("link"));
  if (!mode) throw core::Error(core::ErrorKind::invalid_params, "`mode` takes link, reflink or copy");
  const store::Store::Pin pin(*job.store, params.key);
  if (!job.store->usable(params.key)) return core::done::StoreAbsent{};
  const SlotGit slot(job);
  const fs::path into = fs::path(params.into).lexically_normal();
  if (!in_slot(job)) make_directories(into);
  const GraftedPlace at = in_slot(job) ? grafted_slot(job, slot.get()) : grafted_directory(job, into);
  const Placing what{params.key, relative_to(into, at.place.top), *mode, {{}, params.force, {}}, {}};
  Placed placed = place_graft(job, at, what);
  proto::StorePlaceResult result;
  result.key = params.key;
  result.mode = placed.graft.mode;
  for (const disk::GraftLink& link : placed.graft.links) {
    if (link.state == disk::GraftLink::State::overridden) {
      result.overridden.push_back(link.path);
    } else {
      ++result.links;
    }
  }
  return core::done::StoreDone{std::move(result), std::move(placed.warnings), {{"store_placed", params.key}}};
}

core::JobDone store_status(JobContext& job, const proto::StoreStatusParams& params) {
  const SlotGit slot(job);
  fs::path directory = params.directory.value_or(params.scope.cwd.value_or("/"));
  std::vector<GraftedPlace> places;
  proto::StoreStatusResult result;
  if (in_slot(job)) {
    places.push_back(grafted_slot(job, slot.get()));
    result.pool = job.pool->key.str();
    result.slot = job.grant.slot.str();
    directory = places.front().place.top;
  } else {
    // The directory's own root, or that of the nearest one above it.
    for (fs::path at = directory; places.empty(); at = at.parent_path()) {
      if (lstat_of(job.store->directory_root(at))) {
        places.push_back(grafted_directory(job, at));
        directory = at;
      }
      if (at == at.parent_path()) break;
    }
  }
  result.path = directory.string();
  const auto wanted = wanted_keys(job, slot);
  for (const GraftedPlace& at : places) {
    const auto record = lstat_of(at.root_file) ? job.store->read_root(at.root_file) : std::nullopt;
    if (!record) continue;
    for (const disk::Graft& graft : record->grafts) {
      proto::StoreGraftInfo info;
      info.key = graft.key;
      info.mode = graft.mode;
      for (const disk::GraftLink& link : graft.links)
        info.links.push_back({link.path, store::to_text(store::state_of(*job.store, at.place.top, graft.key, link))});
      info.state = state_of_graft(job, graft, info.links);
      if (const auto key = wanted.find(graft.dep); key != wanted.end() && key->second != graft.key) info.drift = key->second;
      result.entries.push_back(std::move(info));
    }
  }
  return core::done::StoreDone{std::move(result), {}, {}};
}

core::JobDone store_thaw(JobContext& job, const proto::StoreThawParams& params) {
  core::done::StoreDone done{proto::EmptyResult{}, {}, {}};
  (void)for_each_graft(job, params.paths, disk::GraftLink::State::link,
                       [&](const GraftedPlace& at, const std::string& key, disk::GraftLink& link) {
                         const store::Store::Pin pin(*job.store, key);
                         if (!job.store->usable(key))
                           throw core::Error(core::ErrorKind::not_in_store, key + " is not in the store any more");
                         if (cut_off_thaw(job, at, key, link)) return;
                         if (store::state_of(*job.store, at.place.top, key, link) != store::LinkState::ok)
                           throw core::Error(core::ErrorKind::store_refused,
                                             printable(link.path) + " is no link into the store any more",
                                             "wtpool store status");
                         store::thaw(*job.store, at.place, key, link);
                         done.events.emplace_back("store_thawed", link.path);
                       });
  return done;
}

core::JobDone store_freeze(JobContext& job, const proto::StoreFreezeParams& params) {
  (void)for_each_graft(job, params.paths, disk::GraftLink::State::thawed,
                       [&](const GraftedPlace& at, const std::string& key, disk::GraftLink& link) {
                         const store::Store::Pin pin(*job.store, key);
                         if (!job.store->usable(key))
                           throw core::Error(core::ErrorKind::not_in_store, key + " is not in the store any more");
                         const auto stands = store::state_of(*job.store, at.place.top, key, link);
                         if (stands == store::LinkState::ok) {  // a freeze that was killed had put the link back already
                           link.state = disk::GraftLink::State::link;
                           return;
                         }
                         const bool gone = stands == store::LinkState::gone;
                         const auto drift = gone ? std::nullopt : store::drift_of(*job.store, at.place.top, key, link);
                         if (drift && !params.discard)
                           throw core::Error(
                               core::ErrorKind::dirty,
                               "cannot freeze " + printable(link.path) + ": " + printable(*drift) + " differs from " + key,
                               "wtpool store freeze --discard " + (at.place.top / link.path).string());
                         store::freeze(*job.store, at.place, key, link);
                       });
  return core::done::StoreDone{proto::EmptyResult{}, {}, {}};
}

}  // namespace wtpool::jobs
