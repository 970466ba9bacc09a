// Worktree entries: <common>/worktrees/<id>. Reading, proving, moving aside. Plain file operations: git itself refuses to run
// in a source with a torn entry.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/state/job_specs.hpp"

namespace wtpool::git {

inline constexpr std::string_view kHeadProblem = "its HEAD";  // begins the problem of an entry with nothing else wrong

struct Entry {
  std::string git_id;
  core::SlotFacts::Entry state = core::SlotFacts::Entry::sound;
  std::string worktree;  // the directory its `gitdir` names (without /.git); empty when that cannot be read
  std::string problem;   // why it is not sound
  bool unread = false;   // it may be sound: a file of it stands there and could not be read
};
// Every entry of the source, torn ones too, sorted. No git process.
[[nodiscard]] std::vector<Entry> list_entries(const std::string& common_dir);
[[nodiscard]] std::vector<std::string> entry_names(const std::string& common_dir);

// What stands at a slot's path and whether it and the entry name each other: `.git` is a regular file with `gitdir: <entry>`,
// the entry's gitdir names it back, its commondir leads to the source; no symlink on the way. Nothing = proven; else why not.
[[nodiscard]] std::optional<std::string> disproof_of_place(const std::string& common_dir, const std::string& git_id,
                                                           const std::filesystem::path& slot);
// The directory half alone.
struct DirectoryFacts {
  core::SlotFacts::Directory state = core::SlotFacts::Directory::absent;
  std::string git_id;  // from its .git file, when that leads into this source
  std::string problem;
};
[[nodiscard]] DirectoryFacts look_at_directory(const std::string& common_dir, const std::filesystem::path& slot);
// The git directory of the repository that `slot` is a worktree of, when both say so. Plain files.
[[nodiscard]] std::optional<std::filesystem::path> repository_of(const std::filesystem::path& slot);

struct HeadFacts {
  std::optional<Oid> oid;             // resolved through loose and packed refs, by plain reads; absent when unborn or torn
  std::optional<std::string> branch;  // short name when attached to refs/heads/*
};
[[nodiscard]] HeadFacts read_head(const std::string& common_dir, const std::string& git_id);

// Where HEAD alone is damaged, as a power loss leaves what git has just written and nobody synced: puts it on `branch` if that
// is a branch of the source, else on `at`. True when it did. Nobody else may be at work in the slot.
bool heal_head(const std::string& common_dir, const std::string& git_id, const std::string& branch, const Oid& at);
// Whether neither prune nor gc takes the entry away; `initializing`, which a git that was killed leaves, does not say for how
// long, nor whose it is.
[[nodiscard]] bool is_locked(const std::string& common_dir, const std::string& git_id);
// Writes `locked` where it is not.
void lock_entry(const std::string& common_dir, const std::string& git_id, const std::string& reason);

// Moves an entry out of git's sight, to <common>/wtpool/aside/<time>-<id>: a rename, nothing lost. Returns where to.
std::filesystem::path move_entry_aside(const std::string& common_dir, const std::string& git_id);
// Do repositories of submodules stand in it? They are nowhere else. True when it cannot be told.
[[nodiscard]] bool holds_repositories(const std::filesystem::path& entry);
// Removes an entry for good, with its logs; and `worktrees/` itself when it is empty, as git does. Also empties aside/. An
// entry with repositories of submodules stays aside: who removes one keeps them first.
void remove_entry(const std::string& common_dir, const std::string& git_id);

}  // namespace wtpool::git
