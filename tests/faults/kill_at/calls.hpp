// Which system calls of a traced program change something, and in what words. Linux.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace wtpool::test {

// Before exec, in the child: from here on each call that may change a file, or tell somebody something, stops it for its
// tracer.
void stop_at_calls_that_change();

// The call that the stopped thread is entering, with what it acts on. Nothing for one that changes nothing that counts: a
// wake-up of the program's own threads, its log, and its own standard streams unless they are pipes.
[[nodiscard]] std::optional<std::string> describe_call(pid_t thread, bool is_daemon);

[[nodiscard]] std::string program_of(pid_t process);  // "git update-ref"
[[nodiscard]] std::vector<pid_t> tracees_of(pid_t tracer);

}  // namespace wtpool::test
