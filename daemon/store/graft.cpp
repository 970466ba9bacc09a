#include "daemon/store/graft.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/files/files.hpp"
#include "daemon/store/beneath.hpp"
#include "daemon/store/copies.hpp"
#include "daemon/store/names.hpp"
#include "daemon/store/tree_check.hpp"

namespace wtpool::store {
namespace {

using std::filesystem::path;

std::string target_of(const Store& store, const std::string& key, const std::string& target) {
  return joined(store.tree(key).native(), target);
}

bool leads_into_store(const Store& store, const std::string& target) {
  return target.starts_with(store.entries().native() + "/");
}

// What a directory of an entry holds; entries are frozen, so that is as good as the listing, and no more of it is read than
// needed.
std::vector<Candidate> children(const Store& store, const std::string& key, const std::string& directory) {
  const Fd fd = open_beneath(store.tree(key), directory);
  Fd own(fd.valid() ? ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3) : -1);
  DIR* stream = own.valid() ? ::fdopendir(own.get()) : nullptr;
  if (stream == nullptr) throw io_error("cannot read the entry", store.tree(key) / directory, errno);
  (void)own.release();
  std::vector<Candidate> found;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct ::stat status {};
    if (::fstatat(fd.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    Candidate candidate;
    candidate.target = joined(directory, name);
    candidate.kind = S_ISDIR(status.st_mode)   ? NodeKind::directory
                     : S_ISLNK(status.st_mode) ? NodeKind::symlink
                                               : NodeKind::file;
    found.push_back(std::move(candidate));
  }
  ::closedir(stream);
  std::ranges::sort(found, {}, &Candidate::target);
  return found;
}

Standing standing_at(const Store& store, int directory, const std::string& name) {
  struct ::stat status {};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return Standing::nothing;
    throw io_error("cannot look at", name, errno);
  }
  if (S_ISDIR(status.st_mode)) return Standing::directory;
  if (!S_ISLNK(status.st_mode)) return Standing::other;
  const auto target = link_target(directory, name);
  return target && leads_into_store(store, *target) ? Standing::own_graft : Standing::other;
}

class Planner {
 public:
  Planner(const Store& store, const Place& place, const std::string& key, const std::string& into, GraftMode mode,
          const GraftRules& rules)
      : store_(store), place_(place), rules_(rules), copies_(mode != GraftMode::link) {
    out_.graft.key = key;
    out_.graft.into = into;
    out_.graft.mode = to_text(mode);
    out_.graft.placing = true;
  }

  PlannedGraft run() {
    std::vector<std::string> directories{""};
    while (!directories.empty()) {
      std::vector<Candidate> candidates;
      for (const std::string& directory : directories) {
        std::vector<Candidate> here = children(store_, out_.graft.key, directory);
        look(directory, here);
        candidates.insert(candidates.end(), here.begin(), here.end());
      }
      ask(candidates);
      const Level level = plan_level(candidates, rules_);
      for (const std::string& target : level.grafts)
        add(target, copies_ ? disk::GraftLink::State::copy : disk::GraftLink::State::link);
      for (const std::string& target : level.overridden) add(target, disk::GraftLink::State::overridden);
      for (const std::string& target : level.refused) out_.refused.push_back(joined(out_.graft.into, target));
      for (const std::string& target : level.make) make_way(target);
      directories = level.below;
    }
    return std::move(out_);
  }

 private:
  void add(const std::string& target, disk::GraftLink::State state) {
    out_.graft.links.push_back({joined(out_.graft.into, target), target, state});
  }

  void look(const std::string& directory, std::vector<Candidate>& candidates) {
    const std::string at = joined(out_.graft.into, directory);
    const Fd fd = open_beneath(place_.top, at);
    if (!fd.valid()) {
      if (errno == ENOENT) return;
      throw proto::Error(
          proto::ErrorKind::store_refused,
          "cannot place " + out_.graft.key + " in " + (place_.top / at).string() + ": that is no directory of the slot's own");
    }
    for (Candidate& each : candidates) {
      each.standing = standing_at(store_, fd.get(), base_of(each.target));
      const bool kept = rules_.kept.contains(joined(out_.graft.into, each.target));
      if (kept && each.standing != Standing::nothing) each.standing = Standing::other;
    }
  }

  // One question for the whole level.
  void ask(std::vector<Candidate>& candidates) {
    std::vector<std::string> paths;
    std::vector<Candidate*> asked;
    for (Candidate& each : candidates) {
      if (each.standing != Standing::nothing && each.standing != Standing::own_graft) continue;
      if (!place_.ignored) {
        each.ignored = true;
        continue;
      }
      const bool as_directory = copies_ && each.kind == NodeKind::directory;
      paths.push_back(joined(out_.graft.into, each.target) + (as_directory ? "/" : ""));
      asked.push_back(&each);
    }
    if (paths.empty()) return;
    const std::vector<bool> answers = place_.ignored(paths);
    for (std::size_t i = 0; i < asked.size(); ++i) asked[i]->ignored = answers.at(i);
  }

  // git is not asked about what lies below a symlink.
  void make_way(const std::string& target) {
    const std::string at = joined(out_.graft.into, target);
    out_.directories.push_back(at);
    const Fd above = open_beneath(place_.top, parent_of(at));
    if (above.valid() && standing_at(store_, above.get(), base_of(at)) == Standing::own_graft)
      (void)::unlinkat(above.get(), base_of(at).c_str(), 0);
  }

  const Store& store_;
  const Place& place_;
  const GraftRules& rules_;
  bool copies_;
  PlannedGraft out_;
};

// The link at `name`, made or put in the place of an older one. False: something else stands there.
bool put_link(const Store& store, int directory, const std::string& name, const std::string& target) {
  if (::symlinkat(target.c_str(), directory, name.c_str()) == 0) return true;
  if (errno != EEXIST) throw io_error("cannot make the link", name, errno);
  const auto there = link_target(directory, name);
  if (!there || !leads_into_store(store, *there)) return false;
  if (*there == target) return true;
  const std::string beside = ".wtpool-graft-" + random_hex(16);
  if (::symlinkat(target.c_str(), directory, beside.c_str()) != 0) throw io_error("cannot make the link", name, errno);
  FAILPOINT("store.link-beside");
  if (::renameat(directory, beside.c_str(), directory, name.c_str()) != 0) {
    const int failure = errno;
    (void)::unlinkat(directory, beside.c_str(), 0);
    throw io_error("cannot make the link", name, failure);
  }
  return true;
}

bool is_own_link(const Store& store, int directory, const std::string& name) {
  const auto target = link_target(directory, name);
  return target && leads_into_store(store, *target);
}

path copy_in_scratch(const Place& place) {
  make_directories(place.scratch, 0755, false);
  return place.scratch / ("copy-" + random_hex(16));
}

}  // namespace

std::optional<GraftMode> graft_mode_from(std::string_view text) {
  if (text == "link") return GraftMode::link;
  if (text == "reflink") return GraftMode::reflink;
  if (text == "copy") return GraftMode::copy;
  return std::nullopt;
}

const char* to_text(GraftMode mode) {
  return mode == GraftMode::link ? "link" : mode == GraftMode::reflink ? "reflink" : "copy";
}

const char* to_text(LinkState state) {
  switch (state) {
    case LinkState::ok:
      return "ok";
    case LinkState::gone:
      return "gone";
    case LinkState::overridden:
      return "overridden";
    case LinkState::thawed:
      return "thawed";
    case LinkState::dangling:
      return "dangling";
  }
  return "gone";
}

PlannedGraft plan_graft(const Store& store, const Place& place, const std::string& key, const std::string& into, GraftMode mode,
                        const GraftRules& rules) {
  return Planner(store, place, key, into, mode, rules).run();
}

bool do_graft(const Store& store, const Place& place, disk::Graft& graft) {
  bool cloned = true;
  const bool clone = graft.mode == "reflink";
  for (disk::GraftLink& link : graft.links) {
    if (link.state == disk::GraftLink::State::overridden) continue;
    const Fd directory = make_beneath(place.top, parent_of(link.path));
    const std::string name = base_of(link.path);
    if (link.state == disk::GraftLink::State::link) {
      if (!put_link(store, directory.get(), name, target_of(store, graft.key, link.target)))
        link.state = disk::GraftLink::State::overridden;
    } else {
      const path copy = copy_in_scratch(place);
      cloned = copy_out(store.tree(graft.key) / link.target, copy, clone) && cloned;
      if (is_own_link(store, directory.get(), name)) (void)::unlinkat(directory.get(), name.c_str(), 0);
      struct ::stat status {};
      if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
        remove_tree(copy);
        link.state = disk::GraftLink::State::overridden;
      } else if (::renameat(AT_FDCWD, copy.c_str(), directory.get(), name.c_str()) != 0) {
        const int failure = errno;
        remove_tree(copy);
        throw io_error("cannot place", place.top / link.path, failure);
      }
    }
    FAILPOINT("store.one-placed");
  }
  if (clone && !cloned) graft.mode = "copy";
  return !clone || cloned;
}

LinkState state_of(const Store& store, const path& top, const std::string& key, const disk::GraftLink& link) {
  const Fd directory = open_beneath(top, parent_of(link.path));
  const std::string name = base_of(link.path);
  struct ::stat status {};
  if (!directory.valid() || ::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return LinkState::gone;
  const bool copied = link.state == disk::GraftLink::State::thawed || link.state == disk::GraftLink::State::copy;
  if (S_ISLNK(status.st_mode)) {
    const std::string wanted = target_of(store, key, link.target);
    if (link_target(directory.get(), name) == wanted) return lstat_of(wanted) ? LinkState::ok : LinkState::dangling;
    if (!copied) return LinkState::overridden;
  }
  if (link.state == disk::GraftLink::State::thawed) return LinkState::thawed;
  return link.state == disk::GraftLink::State::copy ? LinkState::ok : LinkState::overridden;
}

void relink(const Store& store, const Place& place, const disk::Graft& graft) {
  for (const disk::GraftLink& link : graft.links) {
    if (link.state != disk::GraftLink::State::link || state_of(store, place.top, graft.key, link) != LinkState::gone) continue;
    const Fd directory = make_beneath(place.top, parent_of(link.path));
    (void)put_link(store, directory.get(), base_of(link.path), target_of(store, graft.key, link.target));
  }
}

void take_away(const Store& store, const Place& place, const disk::Graft& graft, bool copies) {
  for (const disk::GraftLink& link : graft.links) {
    if (link.state == disk::GraftLink::State::overridden) continue;
    const Fd directory = open_beneath(place.top, parent_of(link.path));
    if (!directory.valid()) continue;
    const std::string name = base_of(link.path);
    if (is_own_link(store, directory.get(), name)) {
      (void)::unlinkat(directory.get(), name.c_str(), 0);
    } else if (copies && link.state == disk::GraftLink::State::copy) {
      const path aside = copy_in_scratch(place);
      if (::renameat(directory.get(), name.c_str(), AT_FDCWD, aside.c_str()) == 0) remove_tree(aside);
    }
    // Directories that were made for it and hold nothing else; one that is not empty stays.
    for (std::string above = parent_of(link.path); above.size() > graft.into.size(); above = parent_of(above)) {
      const Fd over = open_beneath(place.top, parent_of(above));
      if (!over.valid() || ::unlinkat(over.get(), base_of(above).c_str(), AT_REMOVEDIR) != 0) break;
    }
  }
}

void thaw(const Store& store, const Place& place, const std::string& key, disk::GraftLink& link) {
  const path copy = copy_in_scratch(place);
  (void)copy_out(store.tree(key) / link.target, copy, true);
  FAILPOINT("store.thaw-copied");
  exchange_into(copy, place.top, link.path);
  FAILPOINT("store.thaw-exchanged");
  (void)::unlink(copy.c_str());
  link.state = disk::GraftLink::State::thawed;
}

std::optional<std::string> drift_of(const Store& store, const path& top, const std::string& key, const disk::GraftLink& link) {
  const Fd directory = open_beneath(top, parent_of(link.path));
  if (!directory.valid()) return link.path;
  return first_unlike(top / link.path, store.listing(key), link.target, Compare::thawed);
}

void freeze(const Store& store, const Place& place, const std::string& key, disk::GraftLink& link, const path& keep_at) {
  const path beside = copy_in_scratch(place);
  const std::string target = target_of(store, key, link.target);
  if (state_of(store, place.top, key, link) == LinkState::gone) {
    const Fd directory = make_beneath(place.top, parent_of(link.path));
    (void)put_link(store, directory.get(), base_of(link.path), target);
  } else {
    if (::symlink(target.c_str(), beside.c_str()) != 0) throw io_error("cannot make the link", beside, errno);
    exchange_into(beside, place.top, link.path);
    FAILPOINT("store.freeze-exchanged");
    if (keep_at.empty()) {
      remove_tree(beside);
    } else if (::rename(beside.c_str(), keep_at.c_str()) != 0) {
      throw io_error("cannot keep the copy of", place.top / link.path, errno);
    }
  }
  link.state = disk::GraftLink::State::link;
}

}  // namespace wtpool::store
