// Is a tracked file as git writes it? `git status` compares the other way round, what git would take in, and calls a file
// changed that nobody touched where a blob does not agree with its own attributes (CRLF under `text`, an LFS path whose blob is
// no pointer), and one unchanged that a checkout would write otherwise (its attributes changed, its blob did not). Here what a
// checkout writes is written, beside the slot, and the bytes are compared.
#pragma once

#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// Those of `paths`, tracked files, that do not stand as a checkout of what the index says of them would write them: by content,
// kind and the bit that makes it a program. In their order.
[[nodiscard]] std::vector<std::string> not_as_written(const Git& slot, const std::vector<std::string>& paths);

// Writes those again. How many they were. For the slot's owner.
std::size_t write_again(const Git& slot, const std::vector<std::string>& paths);

// The same of every file whose attributes a .gitattributes among `changed` may say, because it is in its directory or below.
std::size_t write_again_below_attributes(const Git& slot, const std::vector<std::string>& changed);

// All tracked files: what says how files are written has changed beside the commit, in the configuration say.
std::size_t write_all_again(const Git& slot);

}  // namespace wtpool::git
