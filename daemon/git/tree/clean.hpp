// What git does not track, out of the working tree.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// `git clean -f -d`: whatever is not tracked goes, but nested repositories, and what git ignores unless `ignored_too`.
// Read-only directories, as tools make them for their caches, do not keep it. The place was proven; what is to be kept is kept
// already. Returns the nested repositories that would have gone otherwise.
std::vector<std::string> clean(const Git& slot, bool ignored_too);

// The same where what is untracked has been saved and taken away already, and whoever had the slot may go on writing: empty
// directories go, what git ignores if `ignored_too`, and no file that is neither tracked nor ignored.
std::vector<std::string> clean_beside(const Git& slot, bool ignored_too);

// Of these paths, those that are directories with nothing but directories in them. No symlink is followed.
void remove_empty_directories(const std::filesystem::path& work_tree, const std::vector<std::string>& paths);

// Directories that lead to these paths, or are one of them, or stand below: own ones that can be read, and not written, become
// writable. One that cannot be read stays as it is, since nobody knows what is in there. Paths are relative to the working
// tree; no symlink is followed, no other file system and no nested repository entered.
void make_writable(const std::filesystem::path& work_tree, const std::vector<std::string>& paths);

}  // namespace wtpool::git
