// The record of gits of ours that did not end by themselves: what such a one locked in the source stays locked for all. Kept
// in a file, written before a git is killed, so that the next daemon knows of it too. Bounded; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/git/process/git.hpp"

namespace wtpool::git {

// The source's git directory, of its own place or of a slot's; empty for a place that is nowhere.
[[nodiscard]] std::string common_dir_of(const Place& place);

// When a git of ours lived, in seconds, UTC.
struct Life {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

// From now on the record is in this file too: what it says is read once, and every change written durably. A file that cannot
// be read or written costs nothing but the memory of it.
void keep_killed_record(const std::filesystem::path& file);

// A git of ours that wrote in there was killed, or is about to be, or its end is unknown.
void remember_killed(const std::string& common_dir, std::int64_t from, std::int64_t to);
[[nodiscard]] std::vector<Life> killed_in(const std::string& common_dir);
// Nothing of theirs is left: those that ended before this moment need not be known any more.
void forget_killed(const std::string& common_dir, std::int64_t before);

}  // namespace wtpool::git
