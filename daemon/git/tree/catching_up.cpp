// How a checkout is brought along after a kill: path by path, by what stands there.
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>

#include "common/base/clock.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/private_state.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/git.hpp"
#include "daemon/git/process/killed_gits.hpp"
#include "daemon/git/process/lock_holders.hpp"
#include "daemon/git/source/changes.hpp"
#include "daemon/git/tree/following.hpp"
#include "daemon/git/tree/status.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;

// What a tree or an index has at a path, or what stands there as git would store it.
struct Version {
  std::string mode{kNothing};
  std::string id;
  [[nodiscard]] bool absent() const { return mode == kNothing; }
  friend bool operator==(const Version& a, const Version& b) { return a.mode == b.mode && (a.absent() || a.id == b.id); }
};

struct Path {
  std::string name;
  Version before, after, index, file;
  bool skipped = false;  // left out of the working tree by the sparse patterns
};

void remove_dead_lock(const Git& checkout) {
  const fs::path lock = fs::path(checkout.place().git_dir) / "index.lock";
  if (!lstat_of(lock)) return;
  const auto holders = holders_of(lock, common_dir_of(checkout.place()));
  if (!holders || !holders->empty()) {
    throw Error(ErrorKind::contended, "the index of " + printable(checkout.place().work_tree) + " is locked by a git that runs",
                "wtpool doctor");
  }
  ::unlink(lock.c_str());
}

class CatchUp {
 public:
  CatchUp(const Git& checkout, const Oid& before, const Oid& after) : checkout_(checkout), before_(before), after_(after) {}

  void run() {
    remove_dead_lock(checkout_);
    read_trees();
    if (paths_.empty()) return;
    read_index();
    look();
    std::vector<const Path*> files;  // to be written
    std::vector<const Path*> gone;
    std::vector<const Path*> index;
    for (const Path& path : paths_) {
      if (path.index == path.after) continue;      // this path has arrived; what the file says since is the owner's
      if (!(path.index == path.before)) continue;  // the owner staged something of his own
      index.push_back(&path);
      if (path.skipped || path.file == path.after) continue;
      if (is_ours(path)) (path.after.absent() ? gone : files).push_back(&path);
    }
    for (const Path* path : gone) take_away(*path);
    FAILPOINT("land.catch-up-removed");
    write(files);
    FAILPOINT("land.catch-up-written");
    set_index(index);
    FAILPOINT("land.catch-up-index");
    finish();
  }

 private:
  void read_trees() {
    for (const Change& change : changes_between(checkout_, before_, after_)) {
      Path path;
      path.name = change.path;
      paths_.push_back(std::move(path));
    }
    read_versions(before_, &Path::before);
    read_versions(after_, &Path::after);
  }

  Path* find(const std::string& name) {
    const auto found = std::lower_bound(paths_.begin(), paths_.end(), name,
                                        [](const Path& path, const std::string& other) { return path.name < other; });
    return found == paths_.end() || found->name != name ? nullptr : &*found;
  }

  Command command(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = std::move(arguments);
    command.may_filter = true;
    command.durable = true;
    command.output_limit = kWholeTree;
    command.directory = checkout_.place().work_tree;  // git takes paths from there
    return command;
  }

  void read_versions(const Oid& commit, Version Path::*version) {
    std::sort(paths_.begin(), paths_.end(), [](const Path& a, const Path& b) { return a.name < b.name; });
    for (const std::string& line : split(checkout_.must(command({"ls-tree", "-r", "-z", "--full-tree", commit.str()})), '\0')) {
      // <mode> <type> <oid>\t<path>
      const std::size_t tab = line.find('\t');
      const std::size_t id = line.find(' ', 7);
      if (tab == std::string::npos || id == std::string::npos) continue;
      if (Path* path = find(line.substr(tab + 1))) path->*version = {line.substr(0, 6), line.substr(id + 1, tab - id - 1)};
    }
  }

  void read_index() {
    for (const std::string& line : split(checkout_.must(command({"ls-files", "-s", "-z"})), '\0')) {
      // <mode> <oid> <stage>\t<path>
      const std::size_t tab = line.find('\t');
      const std::size_t stage = line.find(' ', 7);
      if (tab == std::string::npos || stage == std::string::npos) continue;
      Path* path = find(line.substr(tab + 1));
      if (path == nullptr) continue;
      // Somebody merges here: none of ours.
      path->index = line[stage + 1] == '0' ? Version{line.substr(0, 6), line.substr(7, stage - 7)} : Version{"unmerged", {}};
    }
    if (!is_sparse(checkout_.place().git_dir)) return;
    for (const std::string& item : split(checkout_.must(command({"ls-files", "-t", "-z"})), '\0'))
      if (item.size() > 2 && item[0] == 'S')
        if (Path* path = find(item.substr(2))) path->skipped = true;
  }

  // Each file as git would store it: one hash-object for all, filters included; links by what they say.
  void look() {
    Command hash = command({"-c", "core.safecrlf=false", "hash-object", "--stdin-paths"});
    std::vector<Path*> asked;
    for (Path& path : paths_) {
      // Below what is no directory nothing stands; whether that goes away is seen before it is written.
      const auto in_way = in_its_way(checkout_.place().work_tree, path.name);
      const auto stat = in_way == path.name ? lstat_of(file_of(path)) : std::nullopt;
      if (!stat) continue;
      if (S_ISLNK(stat->st_mode)) {
        path.file = {"120000", hash_of_link(path)};
      } else if (S_ISREG(stat->st_mode)) {
        path.file.mode = (stat->st_mode & 0100) != 0 ? "100755" : "100644";
        if (path.name.find('\n') != std::string::npos) continue;  // cannot be asked for in a line: stays as somebody's
        hash.input += path.name + '\n';
        asked.push_back(&path);
      } else if (!S_ISDIR(stat->st_mode)) {
        path.file.mode = "other";
      } else if (path.before.mode == kSubmodule || path.after.mode == kSubmodule) {
        path.file = path.before.mode == kSubmodule ? path.before : path.after;
      }
    }
    if (asked.empty()) return;
    const auto ids = split(checkout_.must(hash), '\n');
    for (std::size_t i = 0; i < asked.size() && i < ids.size(); ++i) asked[i]->file.id = ids[i];
  }

  fs::path file_of(const Path& path) const { return fs::path(checkout_.place().work_tree) / path.name; }

  std::string hash_of_link(const Path& path) const {
    std::array<char, 4096> target{};
    const ssize_t length = ::readlink(file_of(path).c_str(), target.data(), target.size());
    if (length < 0) return {};
    Command hash = command({"hash-object", "--no-filters", "--stdin"});
    hash.input.assign(target.data(), static_cast<std::size_t>(length));
    return trimmed(checkout_.must(hash));
  }

  // As before, gone in between, or the beginning of what is to be there. git writes a file anew and in place.
  bool is_ours(const Path& path) const {
    if (path.file == path.before) return true;
    if (path.file.absent()) return true;
    if (path.after.absent() || path.after.mode == kSubmodule || path.after.mode == "120000") return false;
    if (path.file.mode != "100644" && path.file.mode != "100755") return false;
    const auto stands = read_file(file_of(path), kWholeTree);
    if (!stands) return false;
    return checkout_.must(command({"cat-file", "--filters", after_.str() + ":" + path.name})).starts_with(*stands);
  }

  void take_away(const Path& path) const {
    if (path.before.mode == kSubmodule) {
      ::rmdir(file_of(path).c_str());
      return;
    }
    if (::unlink(file_of(path).c_str()) != 0 && errno != ENOENT) throw io_error("cannot remove", file_of(path), errno);
    for (fs::path up = fs::path(path.name).parent_path(); !up.empty(); up = up.parent_path())
      if (::rmdir((fs::path(checkout_.place().work_tree) / up).c_str()) != 0) break;
  }

  // With an index of its own beside the checkout's: nobody sees that one before the files are there.
  void write(const std::vector<const Path*>& files) const {
    std::string input;
    for (const Path* path : files) {
      const auto in_way = in_its_way(checkout_.place().work_tree, path->name);
      if (!in_way || (*in_way == path->name && !is_directory_no_follow(file_of(*path)))) input += path->name + '\0';
    }
    if (input.empty()) return;
    const fs::path own = fs::path(common_dir_of(checkout_.place())) / "wtpool" / "land";
    make_directories(own, 0700);
    const std::string index = (own / ("index-" + random_hex(16))).string();
    const auto with_own_index = [&](std::vector<std::string> arguments, std::string text) {
      Command own_command = command(std::move(arguments));
      own_command.environment = {{"GIT_INDEX_FILE", index}};
      own_command.input = std::move(text);
      return own_command;
    };
    checkout_.must(with_own_index({"read-tree", after_.str()}, {}));
    const ChildResult written = checkout_.run(with_own_index({"checkout-index", "-f", "-q", "-z", "--stdin"}, input));
    ::unlink(index.c_str());
    if (!written.ok()) {
      throw Error(ErrorKind::git_failed, "cannot write the files of " + printable(checkout_.place().work_tree) + ": " +
                                             printable(trimmed(written.error_tail)));
    }
  }

  void set_index(const std::vector<const Path*>& changed) const {
    if (changed.empty()) return;
    Command update = command({"update-index", "-z", "--index-info"});
    std::string skipped;
    // What goes first: a file may stand where a directory was.
    for (const bool removes : {true, false}) {
      for (const Path* path : changed) {
        if (path->after.absent() != removes) continue;
        const std::string zeros(after_.str().size(), '0');
        update.input += removes ? "0 " + zeros + "\t" + path->name + '\0'
                                : path->after.mode + " " + path->after.id + " 0\t" + path->name + '\0';
        if (!removes && path->skipped) skipped += path->name + '\0';
      }
    }
    checkout_.must(update);
    if (skipped.empty()) return;
    Command leave_out = command({"update-index", "--skip-worktree", "-z", "--stdin"});
    leave_out.input = skipped;
    checkout_.must(leave_out);
  }

  void finish() const {
    (void)checkout_.run(command({"update-index", "-q", "--refresh"}));
    // By the sparse patterns: what is new and outside of them goes again.
    (void)checkout_.run(command({"read-tree", "-m", "-u", after_.str(), after_.str()}));
  }

  const Git& checkout_;
  const Oid& before_;
  const Oid& after_;
  std::vector<Path> paths_;  // those that differ, sorted
};

}  // namespace

void catch_up(const Git& checkout, const Oid& before, const Oid& after) { CatchUp(checkout, before, after).run(); }

}  // namespace wtpool::git
