// What git says of a slot's working tree, and what stands in the way there. The place was proven before each call by the
// caller.
#pragma once

#include <chrono>
#include <filesystem>
#include <set>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

struct TreeLook {
  std::optional<Oid> head;             // absent: unborn
  std::optional<std::string> branch;   // absent: detached
  std::vector<std::string> changed;    // tracked paths that differ from HEAD, staged or not, unmerged ones too
  std::vector<std::string> untracked;  // not ignored; each file, except nested repositories
  std::vector<std::string> nested;     // nested repositories (untracked directories with a .git of their own, sound or not);
                                       // one that git does not know, and in which nothing else stands, is not among them
};
enum class Untracked { no, all };
// `git status --porcelain=v2 -z`. `write_index`: may refresh the index (only for the slot's owner), and takes away what git
// would wait for without end (see blocking_files.hpp); else such a file is an error.
// `patience`: how long git may take before that is looked for where git tracks nothing; a status of very many files may.
[[nodiscard]] TreeLook look(const Git& slot, Untracked untracked, bool write_index,
                            std::chrono::seconds patience = std::chrono::seconds(60));

// Paths that are in `to` but not in `from`, or change their type: where an untracked file may be in the way.
[[nodiscard]] std::vector<std::string> paths_added(const Git& slot, const Oid& from, const Oid& to);
// Which of `paths` exist in the working tree, or have a non-directory as a leading component: the things in the way, as
// paths relative to the slot, each once, with what git would wait for on its way there. No symlink is followed. `tracked` in
// look()'s sense must be clean before.
[[nodiscard]] std::vector<std::string> in_the_way(const std::string& work_tree, const std::vector<std::string>& paths);
// The same of one path, without what git would wait for. `passed` gets the directories that lead there.
[[nodiscard]] std::optional<std::string> in_its_way(const std::string& work_tree, const std::string& path,
                                                    std::set<std::string>* passed = nullptr);

// What of `look` a forced checkout of `to` would overwrite or remove although git does not track it: git asks nobody then.
struct Trodden {
  std::vector<std::string> files;
  std::vector<std::string> repositories;  // nested ones, by their directory
};
// `which`: of repositories alone where the files are not asked for.
Trodden trodden_by_reset(const Git& slot, const TreeLook& look, const Oid& to, Untracked which = Untracked::all);

}  // namespace wtpool::git
