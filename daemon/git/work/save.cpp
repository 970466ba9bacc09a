#include "daemon/git/work/save.hpp"

#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/scratch_index.hpp"
#include "daemon/git/work/move_aside.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;

constexpr std::string_view kSubmodule = "160000";
constexpr std::string_view kTrash = "refs/wtpool/trash/";

struct Staged {
  std::string mode;
  std::string oid;
  bool unmerged = false;
  bool ours = false;  // there is a version to keep: stage 0 or 2
};

std::map<std::string, Staged> staged_entries(const ScratchIndex& index) {
  std::map<std::string, Staged> entries;
  for (const std::string& item : split(index.git({"ls-files", "-s", "-z"}), '\0')) {
    // <mode> <oid> <stage>\t<path>
    const std::size_t tab = item.find('\t');
    const std::size_t space = item.find(' ', 7);
    if (tab == std::string::npos || space == std::string::npos || space + 2 > tab) continue;
    const char stage = item[space + 1];
    Staged& entry = entries[item.substr(tab + 1)];
    entry.unmerged = entry.unmerged || stage != '0';
    if (stage == '0' || stage == '2' || entry.mode.empty()) {
      entry.mode = item.substr(0, 6);
      entry.oid = item.substr(7, space - 7);
      entry.ours = stage == '0' || stage == '2';
    }
  }
  return entries;
}

std::string removal(const std::string& path, std::size_t digits) {
  return "0 " + std::string(digits, '0') + "\t" + path + '\0';
}
std::string entry_line(const Staged& entry, const std::string& path) {
  return entry.mode + " " + entry.oid + " 0\t" + path + '\0';
}

// The lines that leave no conflict: our side stands for it.
std::string without_conflicts(const std::map<std::string, Staged>& entries) {
  std::string lines;
  for (const auto& [path, entry] : entries) {
    if (!entry.unmerged) continue;
    lines += removal(path, entry.oid.size());
    if (entry.ours) lines += entry_line(entry, path);
  }
  return lines;
}

// The file at `path` when it can be kept as content: regular or symlink, with real directories on the way.
std::optional<struct ::stat> keepable(const fs::path& work_tree, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (!is_directory_no_follow(work_tree / path.substr(0, slash))) return std::nullopt;
  }
  const auto stat = lstat_of(work_tree / path);
  if (!stat || !(S_ISREG(stat->st_mode) || S_ISLNK(stat->st_mode))) return std::nullopt;
  return stat;
}

struct Sorted {
  std::vector<std::string> present;    // tracked, and there
  std::vector<std::string> gone;       // tracked, and not there (any more) as a file
  std::vector<std::string> untracked;  // there
  std::vector<std::string> refused;    // there, and with a name that git takes into no tree
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  Stamps stamps;  // of what is there
};

Sorted sort_out(const SaveRequest& request, const fs::path& work_tree, const std::map<std::string, Staged>& entries) {
  Sorted sorted;
  const auto count = [&](const std::string& path, const struct ::stat& stat) {
    sorted.bytes += static_cast<std::uint64_t>(stat.st_size);
    ++sorted.files;
    sorted.stamps[path] = stamp_of(stat);
  };
  const std::set<std::string> changed(request.changed.begin(), request.changed.end());
  for (const std::string& path : changed) {
    const auto known = entries.find(path);
    if (const auto stat = keepable(work_tree, path)) {
      sorted.present.push_back(path);
      count(path, *stat);
    } else if (known == entries.end() || known->second.mode != kSubmodule) {
      sorted.gone.push_back(path);
    }
  }
  for (const std::string& path : std::set<std::string>(request.untracked.begin(), request.untracked.end())) {
    if (changed.contains(path)) continue;  // staged as deleted, and there again: kept as a tracked file
    if (const auto stat = keepable(work_tree, path)) {
      sorted.untracked.push_back(path);
      count(path, *stat);
    }
  }
  return sorted;
}

// Such as `git~1`, `.GIT/x`, or `.gitmodules` where that is a symlink: git passes over them without an error. Which those are
// is for it to say, since that depends on its version and configuration; no content is read for it.
void set_refused_apart(const Git& slot, const SaveRequest& request, Sorted& sorted) {
  if (sorted.present.empty() && sorted.untracked.empty()) return;
  const fs::path work_tree = slot.place().work_tree;
  std::string lines;
  for (const auto* paths : {&sorted.present, &sorted.untracked}) {
    for (const std::string& path : *paths) {
      const auto stat = lstat_of(work_tree / path);
      lines += entry_line({stat && S_ISLNK(stat->st_mode) ? "120000" : "100644", request.base.str()}, path);
    }
  }
  const ScratchIndex names(slot);
  names.set_entries(lines);
  const auto listed = names.paths();
  const std::set<std::string> taken(listed.begin(), listed.end());
  for (auto* paths : {&sorted.present, &sorted.untracked}) {
    std::erase_if(*paths, [&](const std::string& path) {
      if (taken.contains(path)) return false;
      sorted.refused.push_back(path);
      sorted.stamps.erase(path);
      return true;
    });
  }
}

class Committer {
 public:
  Committer(const Git& slot, const std::string& name, const Oid& base, const std::string& at = "HEAD") : slot_(slot) {
    Command who;
    who.arguments = {"var", "GIT_COMMITTER_IDENT"};
    Command author = who;
    author.arguments = {"var", "GIT_AUTHOR_IDENT"};
    if (!slot.run(who).ok() || !slot.run(author).ok()) {
      for (const char* role : {"AUTHOR", "COMMITTER"}) {
        identity_.emplace_back(std::string("GIT_") + role + "_NAME", "wtpool");
        identity_.emplace_back(std::string("GIT_") + role + "_EMAIL", "wtpool@localhost");
      }
    }
    Command head;
    head.arguments = {"rev-parse", "-q", "--verify", at + "^{commit}"};
    const ChildResult found = slot.run(head);
    head_ = found.ok() ? Oid(trimmed(found.output)) : base;

    Command read;
    read.arguments = {"cat-file", "commit", head_.str()};
    const std::string text = slot.must(read);
    const std::size_t body = text.find("\n\n");
    std::string subject = body == std::string::npos ? "" : text.substr(body + 2);
    subject = subject.substr(0, subject.find('\n'));
    where_ = name + ": " + head_.str().substr(0, 7) + " " + subject + "\n";
  }

  [[nodiscard]] const Oid& head() const { return head_; }
  [[nodiscard]] Oid commit(const std::string& what, const Oid& tree, const std::vector<Oid>& parents) const {
    Command command;
    command.arguments = {"commit-tree", tree.str()};
    for (const Oid& parent : parents) command.arguments.insert(command.arguments.end(), {"-p", parent.str()});
    command.arguments.insert(command.arguments.end(), {"-F", "-"});
    command.input = what + " on " + where_;
    command.environment = identity_;
    return Oid(trimmed(slot_.must(command)));
  }

 private:
  const Git& slot_;
  std::vector<std::pair<std::string, std::string>> identity_;
  Oid head_;
  std::string where_;
};

}  // namespace

std::string trash_ref(const std::string& id, const std::string& rest) { return std::string(kTrash) + id + "/" + rest; }

TrashRefs list_trash(const Git& source) {
  TrashRefs entries;
  for (auto& ref : list_refs(source, std::string(kTrash))) {
    const std::string rest = ref.name.substr(kTrash.size());
    entries[rest.substr(0, rest.find('/'))].push_back(std::move(ref));
  }
  return entries;
}

Saved save_work(const Git& at, const SaveRequest& request) {
  Saved saved;
  if (request.changed.empty() && request.untracked.empty()) return saved;
  const KeepingRoom room(at);
  const Git& slot = room.git();
  const fs::path work_tree = slot.place().work_tree;
  const std::size_t digits = request.base.str().size() == 64 ? 64 : 40;

  ScratchIndex index(slot);
  index.copy_from_slot();
  const std::map<std::string, Staged> entries = staged_entries(index);
  Sorted sorted = sort_out(request, work_tree, entries);
  saved.moved_aside = sorted.bytes > request.limit_bytes || sorted.files > request.limit_files;
  if (!saved.moved_aside) set_refused_apart(slot, request, sorted);
  if ((saved.moved_aside || !sorted.refused.empty()) && request.aside.empty()) {
    throw Error(ErrorKind::internal, "cannot save the work of " + printable(request.name) +
                                         ": too large, or of names that git does not take, and no place for files");
  }

  let_clocks_tick(sorted.stamps);
  for (auto& [path, stamp] : sorted.stamps) {
    if (const auto stat = lstat_of(work_tree / path)) stamp = stamp_of(*stat);
  }

  // The index as it was staged; a conflict counts as our side, its markers are in the working tree.
  index.set_entries(without_conflicts(entries));
  const Oid index_tree = index.write_tree();

  // The working tree. Each path is entered anew, so that no remembered time, size or bit can pass for its content; its mode is
  // kept for file systems that cannot tell.
  std::string lines;
  for (const std::string& path : sorted.gone) lines += removal(path, digits);
  if (!saved.moved_aside) {
    for (const std::string& path : sorted.present) {
      lines += removal(path, digits);
      const auto known = entries.find(path);
      if (known != entries.end() && known->second.mode != kSubmodule) lines += entry_line(known->second, path);
    }
  }
  index.set_entries(lines);
  if (!saved.moved_aside) index.add_files(sorted.present);
  const Oid work_tree_id = index.write_tree();

  const Committer committer(slot, request.name, request.base);
  std::vector<Oid> parents = {committer.head(), committer.commit("index", index_tree, {committer.head()})};
  if (!saved.moved_aside && !sorted.untracked.empty()) {
    const ScratchIndex others(slot);
    others.add_files(sorted.untracked);
    parents.push_back(committer.commit("untracked files", others.write_tree(), {}));
  }
  saved.work = committer.commit("WIP", work_tree_id, parents);
  saved.pack = room.hold({*saved.work}, {committer.head()});
  if (!saved.moved_aside) saved.as_saved = std::move(sorted.stamps);

  if (saved.moved_aside) {
    std::string deleted;
    for (const std::string& path : sorted.gone) deleted += path + '\0';
    make_directories(request.aside, 0755, true);
    if (!deleted.empty()) write_durably(request.aside.string() + ".deleted", deleted);
    std::vector<std::string> files = sorted.present;
    files.insert(files.end(), sorted.untracked.begin(), sorted.untracked.end());
    move_aside(work_tree, files, request.aside);
  } else if (!sorted.refused.empty()) {
    make_directories(request.aside, 0755, true);
    move_aside(work_tree, sorted.refused, request.aside);
    saved.some_aside = true;
  }
  return saved;
}

std::optional<Saved> with_untracked(const Git& at, const Oid& work, const SaveRequest& request) {
  const KeepingRoom room(at);
  const Git& slot = room.git();
  Sorted sorted = sort_out(request, slot.place().work_tree, {});
  if (sorted.bytes > request.limit_bytes || sorted.files > request.limit_files) return std::nullopt;
  const std::string& saved = work.str();
  const auto parts = ids_of(slot, {saved + "^{tree}", saved + "^1", saved + "^2", saved + "^3^{tree}"});
  if (!parts[0] || !parts[1] || !parts[2]) return std::nullopt;

  let_clocks_tick(sorted.stamps);
  sorted.stamps = stamps_of(slot.place().work_tree, sorted.untracked);
  const ScratchIndex others(slot);
  if (parts[3]) others.git({"read-tree", parts[3]->str()});
  const std::size_t before = others.count();
  others.add_files(sorted.untracked);
  if (others.count() != before + sorted.untracked.size()) return std::nullopt;

  const Committer committer(slot, request.name, request.base, parts[1]->str());
  const Oid untracked = committer.commit("untracked files", others.write_tree(), {});
  Saved late;
  late.work = committer.commit("WIP", *parts[0], {*parts[1], *parts[2], untracked});
  late.as_saved = std::move(sorted.stamps);
  late.pack = room.hold({*late.work}, {work, *parts[1]});
  return late;
}

std::optional<Saved> save_index(const Git& at, const std::string& name, const Oid& base) {
  const KeepingRoom room(at);
  const Git& entry = room.git();
  ScratchIndex index(entry);
  index.copy_from_slot();
  index.set_entries(without_conflicts(staged_entries(index)));
  const Oid tree = index.write_tree();
  const Committer committer(entry, name, base);
  if (ids_of(entry, {committer.head().str() + "^{tree}"}).front() == tree) return std::nullopt;
  const Oid staged = committer.commit("index", tree, {committer.head()});
  Saved saved;
  saved.work = committer.commit("WIP", tree, {committer.head(), staged});
  saved.pack = room.hold({*saved.work}, {committer.head()});
  return saved;
}

}  // namespace wtpool::git
