#include "daemon/git/seal/tracked_files.hpp"

#include <unordered_map>

namespace wtpool::git {
namespace {

constexpr std::string_view kSubmodule = "160000";
constexpr std::string_view kSymlink = "120000";

bool leads_astray(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

class Directories {
 public:
  explicit Directories(std::vector<TrackedDirectory>& all) : all_(all) { all_.push_back({{}, false, {}}); }

  // `path` outlives this object. The same directory comes many times in a row.
  std::size_t of(std::string_view path) {
    if (path == last_path_) return last_;
    if (path.empty()) return 0;
    const auto found = known_.find(path);
    if (found != known_.end()) {
      last_ = found->second;
    } else {
      (void)of(parent(path));
      all_.push_back({std::string(path), true, {}});
      last_ = all_.size() - 1;
      known_.emplace(path, last_);
    }
    last_path_ = path;
    return last_;
  }

  void must_be_there(std::string_view path) {
    for (; !path.empty(); path = parent(path)) {
      bool& may_be_absent = all_[of(path)].may_be_absent;
      if (!may_be_absent) return;
      may_be_absent = false;
    }
  }

  static std::string_view parent(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }

 private:
  std::vector<TrackedDirectory>& all_;
  std::unordered_map<std::string_view, std::size_t> known_;
  std::string_view last_path_;
  std::size_t last_ = 0;
};

}  // namespace

void list_tracked(const Git& slot, Tracked& tracked) {
  Command list;
  list.arguments = {"ls-files", "-z", "-v", "--stage"};
  list.directory = slot.place().work_tree;  // from any other place within it, it lists only what is below
  tracked.listing = slot.must(list);
  Directories directories(tracked.directories);
  const std::string_view all = tracked.listing;
  // <tag> <mode> <oid> <stage>\t<path>\0; the tag is lower-case when assume-unchanged, S when skip-worktree.
  for (std::size_t at = 0, end = 0; (end = all.find('\0', at)) != std::string_view::npos; at = end + 1) {
    const std::string_view record = all.substr(at, end - at);
    const std::size_t tab = record.find('\t');
    if (tab == std::string_view::npos || tab < 10) {
      tracked.strange = record;
      return;
    }
    const char tag = record[0];
    const std::string_view mode = record.substr(2, 6);
    const std::string_view path = record.substr(tab + 1);
    if (leads_astray(path)) {
      tracked.strange = path;
      return;
    }
    if (tag >= 'a' && tag <= 'z') tracked.hidden = path;
    if (record[tab - 1] != '0') tracked.unmerged = path;
    const std::string_view parent = Directories::parent(path);
    const std::size_t directory = directories.of(parent);
    if (mode == kSubmodule) {
      (void)directories.of(path);
      tracked.submodules.emplace_back(path);
    } else if (tag == 'S' || tag == 's') {
      tracked.left_out.emplace_back(path);
    } else {
      directories.must_be_there(parent);
      if (mode == kSymlink) continue;
      // A zero stands behind each path in the listing.
      tracked.directories[directory].files.push_back(path.data() + (parent.empty() ? 0 : parent.size() + 1));
      ++tracked.files;
    }
  }
}

}  // namespace wtpool::git
