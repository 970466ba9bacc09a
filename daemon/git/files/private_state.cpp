#include "daemon/git/files/private_state.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPatterns = "info/sparse-checkout";
constexpr const char* kPrivateConfig[] = {"config.worktree", kPatterns};
constexpr std::size_t kLargestConfig = std::size_t{64} * 1024 * 1024;

bool unlink_if_there(const fs::path& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw io_error("cannot remove", path, errno);
}

void remove_whatever(const fs::path& path) {
  if (!lstat_of(path)) return;
  if (is_directory_no_follow(path)) {
    remove_tree(path);
  } else {
    unlink_if_there(path);
  }
}

// MERGE_HEAD, ORIG_HEAD, BISECT_LOG, COMMIT_EDITMSG and what else git or its user keeps at the top of a git directory.
bool is_pseudo_ref(const std::string& name) {
  if (name == "HEAD" || name.empty() || name[0] < 'A' || name[0] > 'Z') return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string::npos;
}

// Regular files only: a symlink here was made by somebody, and is not read.
std::optional<std::string> regular_text(const fs::path& file) {
  const auto stat = lstat_of(file);
  if (!stat || !S_ISREG(stat->st_mode)) return std::nullopt;
  return read_file(file, kLargestConfig);
}

}  // namespace

void keep_private_config(const std::string& entry, const std::string& pristine) {
  make_directories(pristine, 0755, true);
  for (const char* name : kPrivateConfig) {
    const fs::path kept = fs::path(pristine) / name;
    if (const auto text = regular_text(fs::path(entry) / name)) {
      make_directories(kept.parent_path(), 0755, true);
      write_durably(kept, *text, 0644);
    } else {
      remove_whatever(kept);
    }
  }
}

void restore_private_config(const std::string& entry, const std::string& pristine) {
  for (const char* name : kPrivateConfig) {
    const fs::path live = fs::path(entry) / name;
    const auto kept = regular_text(fs::path(pristine) / name);
    if (kept && is_directory_no_follow(live.parent_path()) && regular_text(live) == kept) continue;
    if (!kept) {
      if (is_directory_no_follow(live.parent_path())) remove_whatever(live);
      continue;
    }
    if (!is_directory_no_follow(live.parent_path())) {
      remove_whatever(live.parent_path());
      make_directories(live.parent_path());
    }
    remove_whatever(live);
    write_durably(live, *kept, 0644);
  }
}

bool is_sparse(const std::string& entry) { return lstat_of(fs::path(entry) / kPatterns).has_value(); }

std::vector<Oid> autostashes(const std::string& entry) {
  std::vector<Oid> found;
  for (const char* name : {"rebase-merge/autostash", "rebase-apply/autostash", "MERGE_AUTOSTASH"}) {
    const auto text = regular_text(fs::path(entry) / name);
    if (!text) continue;
    if (const auto oid = oid_from(trimmed(*text))) found.push_back(*oid);
  }
  return found;
}

namespace {

// All that git keeps of a worktree beside HEAD, its index and its configuration, and what of it is kept before it goes. The
// pseudo-refs at the top, MERGE_HEAD and whatever else is written so, are told by their names.
struct State {
  const char* name;
  enum class Holds { commits, refs, nothing } holds;
};
constexpr State kStates[] = {
    {"rebase-merge", State::Holds::commits},        // orig-head, onto, stopped-sha, autostash, the commits still to pick
    {"rebase-apply", State::Holds::commits},        // the same of the older kind, and of `git am`, whose patches are files
    {"sequencer", State::Holds::commits},           // of a cherry-pick or revert of several
    {"refs/bisect", State::Holds::refs},            // good, bad, skip
    {"refs/worktree", State::Holds::refs},          // somebody's own
    {"refs/rewritten", State::Holds::refs},         // labels of a rebase of merges
    {"logs/refs/bisect", State::Holds::nothing},    // what those stood at before
    {"logs/refs/worktree", State::Holds::nothing},  //
    {"logs/refs/rewritten", State::Holds::nothing},
};

void add_ids(const fs::path& root, const fs::path& file, std::vector<NamedByState>& found) {
  const auto text = regular_text(file);
  if (!text) return;
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::string name = file.lexically_relative(root).string();
  for (std::size_t at = 0; (at = text->find_first_of(kHex, at)) != std::string::npos;) {
    const std::size_t end = std::min(text->find_first_not_of(kHex, at), text->size());
    if (const auto id = oid_from(std::string_view(*text).substr(at, end - at))) found.push_back({name, *id});
    at = end;
  }
}

void add_ids_below(const fs::path& root, const fs::path& folder, std::vector<NamedByState>& found) {
  if (!is_directory_no_follow(folder)) return;
  for (const fs::path& child : children_of(folder)) {
    if (is_directory_no_follow(child)) {
      add_ids_below(root, child, found);
    } else {
      add_ids(root, child, found);
    }
  }
}

}  // namespace

std::vector<NamedByState> named_by_state(const std::string& entry) {
  const fs::path root(entry);
  std::vector<NamedByState> found;
  for (const State& state : kStates) {
    if (state.holds != State::Holds::nothing) add_ids_below(root, root / state.name, found);
  }
  for (const fs::path& path : children_of(root)) {
    // What a merge left in the files is in them: of AUTO_MERGE nobody lacks anything.
    const std::string name = path.filename().string();
    if (is_pseudo_ref(name) && name != "AUTO_MERGE") add_ids(root, path, found);
  }
  return found;
}

bool has_patches(const std::string& entry) { return lstat_of(fs::path(entry) / "rebase-apply/applying").has_value(); }

void clear_operations(const std::string& entry) {
  const fs::path root(entry);
  for (const State& state : kStates) remove_whatever(root / state.name);
  for (const fs::path& path : children_of(root)) {
    if (is_pseudo_ref(path.filename().string())) remove_whatever(path);
  }
}

std::vector<fs::path> locks_in_entry(const std::string& entry) {
  std::vector<fs::path> locks = children_of(entry);
  std::erase_if(locks, [](const fs::path& path) { return path.extension() != ".lock"; });
  return locks;
}

void remove_lock(const std::string& entry, const fs::path& lock) {
  if (!is_directory_no_follow(lock)) {
    unlink_if_there(lock);
  } else if (::rmdir(lock.c_str()) != 0) {
    // No git makes a directory of that name. Whatever is in it stays, out of git's way.
    const fs::path aside = fs::path(entry) / "worktree-pool" / (lock.filename().string() + "-" + random_hex(8));
    make_directories(aside.parent_path());
    if (::rename(lock.c_str(), aside.c_str()) != 0) throw io_error("cannot move aside", lock, errno);
  }
}

void remove_stale_locks(const std::string& entry) {
  for (const fs::path& lock : locks_in_entry(entry)) remove_lock(entry, lock);
  // Indexes of our own, whose daemon was killed while it saved.
  for (const fs::path& file : children_of(fs::path(entry) / "worktree-pool")) {
    if (file.filename().string().starts_with("tmp-index-")) ::unlink(file.c_str());
  }
}

}  // namespace wtpool::git
