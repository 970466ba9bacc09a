// FIFOs and devices named like files that git opens: git would block on them for ever. It opens
// .gitattributes and .gitignore wherever it comes by, and .gitmodules at the top, whatever they are, and of every repository
// that stands in the tree its HEAD, and what leads from there; where one is a FIFO, it stands there until somebody writes into
// it, and no status names what is neither file nor symlink. There is no content in these, so that they are taken away where a
// slot is nobody's. No symlink is followed.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// By their paths relative to the working tree: in these directories of it, those that are there.
[[nodiscard]] std::vector<std::string> blocking_files_in(const std::filesystem::path& work_tree,
                                                         const std::set<std::string>& directories);
// In `directory` and everywhere below, whatever git knows of it.
[[nodiscard]] std::vector<std::string> blocking_files_below(const std::filesystem::path& work_tree,
                                                            const std::string& directory = {});
// In every directory that has tracked files, by the slot's index; where that cannot be read, everywhere.
[[nodiscard]] std::vector<std::string> blocking_files_of(const Git& slot);

// Under the slot's lock only. Throws where one cannot be taken away.
void remove_blocking_files(const Git& slot, const std::vector<std::string>& paths);

}  // namespace wtpool::git
