// The disk as a power loss left it, made real again in its old place, and the real daemon started on it.
#pragma once

#include "tests/faults/power/record.hpp"

namespace wtpool::test::power {

// What does not hold once the daemon has recovered, as sentences. The story's own files are replaced by `disk`.
[[nodiscard]] std::vector<std::string> after_restart(const Told& told, const Tree& disk, std::size_t moment);

}  // namespace wtpool::test::power
