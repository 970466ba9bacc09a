// Whole commands, timed from outside: from before they are started until they were waited for, without polling. A command that
// fails ends the benchmark: a figure of something that did not happen is worse than none.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace wtpool::bench {

using test::Environment;
using Argv = std::vector<std::string>;

[[nodiscard]] double now_ms();  // of the monotonic clock

// stdin and stderr are /dev/null, stdout is `output`. argv[0] is looked up in this process's PATH.
[[nodiscard]] pid_t start(const Argv& argv, const Environment& environment, const std::string& output = "/dev/null");
// Milliseconds.
double timed(const Argv& argv, const Environment& environment, bool may_fail = false);

struct AtOnce {
  double all_ms = 0;            // from the first start to the last end
  std::vector<double> each_ms;  // from the first start to the end of each
};
AtOnce timed_at_once(const std::vector<Argv>& commands, const Environment& environment);

[[noreturn]] void give_up(const std::string& why);
// From now on a signal to end (HUP, INT, TERM) has the next command that is timed give up, so that daemons are ended too.
void end_at_signals();

}  // namespace wtpool::bench
