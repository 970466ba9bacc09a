// What gits of ours that did not end by themselves may have left in the source for all to stumble over: locks of shared refs
// and of its config. Only what such a git can have made is ever removed; the record lives as long as the daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "daemon/git/git.hpp"

namespace wtpool::git {

// The source's git directory, of its own place or of a slot's; empty for a place that is nowhere.
[[nodiscard]] std::string common_dir_of(const Place& place);

// A git of ours that wrote in there was killed, or its end is unknown; it lived between the two (seconds, UTC).
void remember_killed(const std::string& common_dir, std::int64_t from, std::int64_t to);

// Removes the locks that such gits left: nobody has them open, they are of that time and 10 s old; younger ones are waited for.
// True when one was removed: what failed on it may be tried again.
[[nodiscard]] bool heal_after_killed(const std::string& common_dir, const std::function<bool()>& stop);

}  // namespace wtpool::git
