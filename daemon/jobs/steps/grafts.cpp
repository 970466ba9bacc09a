#include "daemon/jobs/steps/grafts.hpp"

#include <unistd.h>

#include <algorithm>

#include "common/base/failpoint.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/tree/shown.hpp"
#include "daemon/jobs/trash/trash_id.hpp"
#include "daemon/store/names.hpp"

namespace wtpool::jobs {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> repository_above(const fs::path& directory) {
  for (fs::path at = directory;; at = at.parent_path()) {
    if (lstat_of(at / ".git")) return at;
    if (at == at.parent_path()) return std::nullopt;
  }
}

store::AskIgnored ask_in_repository(const JobContext& job, const fs::path& repository, const fs::path& directory) {
  git::Context context;
  context.stop = job.stop;
  context.deadline = job.deadline;
  const git::Git tree({(repository / ".git").string(), repository.string()}, context);
  const std::string prefix = directory.lexically_relative(repository).string();
  return [tree, prefix](const std::vector<std::string>& paths) {
    std::vector<std::string> asked;
    for (const std::string& path : paths) asked.push_back(store::joined(prefix == "." ? "" : prefix, path));
    return git::ignored_in_any(tree, asked);
  };
}

[[noreturn]] void refuse_shown(const Placing& what, const std::vector<std::string>& refused) {
  constexpr std::size_t kMost = 50;
  core::Error error(core::ErrorKind::store_refused,
                    "cannot place " + what.key + ": git would show " + printable(refused.front()) +
                        (refused.size() > 1 ? " and " + std::to_string(refused.size() - 1) + " more" : ""),
                    "wtpool store place --force " + what.key);
  for (std::size_t i = 0; i < std::min(refused.size(), kMost); ++i) error.details.push_back(printable(refused[i]));
  throw error;
}

bool same_place(const disk::Graft& graft, const Placing& what) {
  return graft.into == what.into && (graft.key == what.key || (!what.dep.empty() && graft.dep == what.dep));
}

// Every graft of the record stands as it is recorded.
bool stands(const JobContext& job, const fs::path& top, const disk::Graft& graft) {
  if (graft.placing) return false;
  return std::ranges::all_of(graft.links, [&](const disk::GraftLink& link) {
    if (link.state == disk::GraftLink::State::overridden) return true;
    return store::state_of(*job.store, top, graft.key, link) == store::LinkState::ok;
  });
}

// A copy that the last holder thawed becomes the link again; one that differs from its entry is kept.
void freeze_thawed(const JobContext& job, const GraftedPlace& at, disk::RootRecord& record, const core::Lease& lease,
                   std::vector<std::string>& warnings) {
  for (disk::Graft& graft : record.grafts) {
    for (disk::GraftLink& link : graft.links) {
      if (link.state != disk::GraftLink::State::thawed) continue;
      const bool gone = store::state_of(*job.store, at.place.top, graft.key, link) != store::LinkState::thawed;
      const bool listed = job.store->record(graft.key).has_value();
      if (gone || (listed && !store::drift_of(*job.store, at.place.top, graft.key, link))) {
        store::freeze(*job.store, at.place, graft.key, link);
        continue;
      }
      const std::string id = unused_trash_id(job, lease.id);
      record_trash(job, id, lease.name);
      const fs::path kept = job.pool->files.trash_files(id) / link.path;
      make_directories(kept.parent_path(), 0755, true);
      store::freeze(*job.store, at.place, graft.key, link, kept);
      warnings.push_back("the thawed copy " + printable(link.path) + " of an earlier holder differed from " + graft.key +
                         " and is kept as " + id);
    }
  }
}

}  // namespace

GraftedPlace grafted_slot(const JobContext& job, const git::Git* tree) {
  GraftedPlace at;
  at.place.top = job.slot_path();
  at.place.scratch = job.pool->files.meta() / "thaw";
  if (tree != nullptr)
    at.place.ignored = [tree](const std::vector<std::string>& paths) { return git::ignored_in_any(*tree, paths); };
  at.root_file = job.store->slot_root(job.pool->key.str(), job.grant.slot.str());
  at.whose = {job.pool->key.str(), job.grant.slot.str(), at.place.top.string(), {}};
  return at;
}

GraftedPlace grafted_directory(const JobContext& job, const fs::path& directory) {
  GraftedPlace at;
  at.place.top = directory;
  const auto repository = repository_above(directory);
  if (repository) at.place.ignored = ask_in_repository(job, *repository, directory);
  const bool inside_git = repository && is_directory_no_follow(*repository / ".git");
  at.place.scratch = inside_git ? *repository / ".git" / "wtpool-copies" : directory / ".wtpool-copies";
  at.root_file = job.store->directory_root(directory);
  at.whose = {"", "", directory.string(), {}};
  return at;
}

Placed place_graft(const JobContext& job, const GraftedPlace& at, const Placing& what) {
  store::GraftRules rules = what.rules;
  if (const auto before = lstat_of(at.root_file) ? job.store->read_root(at.root_file) : std::nullopt) {
    for (const disk::Graft& graft : before->grafts) {
      for (const disk::GraftLink& link : graft.links) {
        const bool own = link.state == disk::GraftLink::State::thawed || link.state == disk::GraftLink::State::copy;
        if (own && graft.key == what.key) rules.kept.insert(link.path);
      }
    }
  }
  auto planned = store::plan_graft(*job.store, at.place, what.key, what.into, what.mode, rules);
  if (!planned.refused.empty() && !what.rules.force) refuse_shown(what, planned.refused);
  Placed placed;
  placed.graft = std::move(planned.graft);
  placed.graft.dep = what.dep;
  // The root is there before the first link: nothing that is linked is ever collected.
  job.store->change_root(at.root_file, at.whose, [&](disk::RootRecord& record) {
    record.path = at.whose.path;
    for (disk::Graft& graft : record.grafts) {
      if (!same_place(graft, what) || graft.key != what.key) continue;
      // What was thawed, or copied, stays what it is.
      for (disk::GraftLink& link : placed.graft.links) {
        const auto old = std::ranges::find(graft.links, link.path, &disk::GraftLink::path);
        if (old != graft.links.end() && link.state == disk::GraftLink::State::overridden &&
            (old->state == disk::GraftLink::State::thawed || old->state == disk::GraftLink::State::copy))
          link.state = old->state;
      }
      graft = placed.graft;
      return;
    }
    record.grafts.push_back(placed.graft);
  });
  FAILPOINT("store.root-written");
  for (const std::string& directory : planned.directories) {
    make_directories(at.place.top / store::parent_of(directory));
  }
  disk::Graft doing = placed.graft;
  std::erase_if(doing.links, [](const disk::GraftLink& link) { return link.state == disk::GraftLink::State::thawed; });
  if (!store::do_graft(*job.store, at.place, doing))
    placed.warnings.push_back("the disk of " + printable(at.place.top.native()) + " cannot clone files: " + what.key +
                              " was copied");
  for (const disk::GraftLink& link : doing.links) {
    const auto own = std::ranges::find(placed.graft.links, link.path, &disk::GraftLink::path);
    if (own != placed.graft.links.end()) own->state = link.state;
  }
  placed.graft.mode = doing.mode;
  placed.graft.placing = false;
  job.store->change_root(at.root_file, at.whose, [&](disk::RootRecord& record) {
    std::vector<disk::Graft> kept;
    for (disk::Graft& graft : record.grafts) {
      if (graft.key == what.key && graft.into == what.into) {
        kept.push_back(placed.graft);
        continue;
      }
      // What of an older graft was replaced belongs to it no more.
      std::erase_if(graft.links, [&](const disk::GraftLink& link) {
        return std::ranges::any_of(placed.graft.links, [&](const disk::GraftLink& ours) {
          return ours.path == link.path && ours.state != disk::GraftLink::State::overridden;
        });
      });
      if (!graft.links.empty() || graft.placing) kept.push_back(std::move(graft));
    }
    record.grafts = std::move(kept);
  });
  job.store->touch(what.key);
  (void)::rmdir(at.place.scratch.c_str());
  return placed;
}

DepsPlaced bring_grafts(const JobContext& job, const std::vector<core::WantedDep>& deps, const git::Git& tree,
                        const core::Lease& lease) {
  DepsPlaced out;
  if (!job.store) return out;
  const GraftedPlace at = grafted_slot(job, &tree);
  auto before = lstat_of(at.root_file) ? job.store->read_root(at.root_file) : std::nullopt;
  if (!before && deps.empty()) return out;
  disk::RootRecord record = before.value_or(at.whose);
  const disk::RootRecord as_read = record;
  freeze_thawed(job, at, record, lease, out.warnings);
  // What another commit asked for, and this one does not, goes.
  std::vector<disk::Graft> kept;
  for (disk::Graft& graft : record.grafts) {
    const auto wanted = std::ranges::find_if(deps, [&](const core::WantedDep& each) { return each.dep.name == graft.dep; });
    const bool stays = graft.dep.empty() || (wanted != deps.end() && wanted->present && wanted->dep.key == graft.key &&
                                             wanted->dep.into == graft.into && wanted->dep.mode == graft.mode);
    const bool becomes_another = wanted != deps.end() && wanted->present && wanted->dep.mode == "link" &&
                                 graft.mode == "link" && wanted->dep.into == graft.into;
    // A link that is replaced is never missed by a reader; all else is taken away first.
    if (!stays && !becomes_another) store::take_away(*job.store, at.place, graft, true);
    if (stays || becomes_another) kept.push_back(std::move(graft));
  }
  record.grafts = std::move(kept);
  if (!(record == as_read))
    job.store->change_root(at.root_file, at.whose, [&](disk::RootRecord& now) { now.grafts = record.grafts; });
  for (const core::WantedDep& each : deps) {
    const auto there =
        std::ranges::find_if(record.grafts, [&](const disk::Graft& graft) { return graft.dep == each.dep.name; });
    if (each.present && there != record.grafts.end() && there->key == each.dep.key && stands(job, at.place.top, *there))
      continue;
    const disk::Graft old = there == record.grafts.end() ? disk::Graft{} : *there;
    const store::Store::Pin pin(*job.store, each.dep.key);
    if (!each.present || !job.store->usable(each.dep.key)) {
      out.missing.push_back(each.dep.name);
      out.warnings.push_back(each.dep.key + " is not in the store: '" + each.dep.name + "' was not placed");
      continue;
    }
    Placing what{each.dep.key,
                 each.dep.into,
                 store::graft_mode_from(each.dep.mode).value_or(store::GraftMode::link),
                 {each.dep.real, false},
                 each.dep.name};
    try {
      auto placed = place_graft(job, at, what);
      out.warnings.insert(out.warnings.end(), placed.warnings.begin(), placed.warnings.end());
      if (old.key.empty() || old.key == each.dep.key) continue;
      // Of the graft before: what the new one has no link for.
      disk::Graft rest = old;
      std::erase_if(rest.links, [&](const disk::GraftLink& link) {
        return std::ranges::find(placed.graft.links, link.path, &disk::GraftLink::path) != placed.graft.links.end();
      });
      store::take_away(*job.store, at.place, rest, true);
      job.store->change_root(at.root_file, at.whose, [&](disk::RootRecord& now) {
        std::erase_if(now.grafts, [&](const disk::Graft& graft) { return graft.dep == old.dep && graft.key == old.key; });
      });
    } catch (const core::Error& error) {
      if (error.kind != core::ErrorKind::store_refused) throw;
      out.missing.push_back(each.dep.name);
      out.warnings.push_back(error.message);
    }
  }
  return out;
}

void put_links_back(const JobContext& job) {
  if (!job.store) return;
  const GraftedPlace at = grafted_slot(job, nullptr);
  if (!lstat_of(at.root_file)) return;
  const auto record = job.store->read_root(at.root_file);
  if (!record) return;
  for (const disk::Graft& graft : record->grafts) {
    if (job.store->record(graft.key)) store::relink(*job.store, at.place, graft);
  }
}

void end_roots(const JobContext& job) {
  if (job.store) job.store->remove_root(job.store->slot_root(job.pool->key.str(), job.grant.slot.str()));
}

}  // namespace wtpool::jobs
