// The three standard descriptors of a process that may have been started without some of them.
#pragma once

namespace wtpool::client {

// Sees to it that 0, 1 and 2 are taken, so that no socket becomes "stdout"; one that was closed still refuses to be written.
// A write to a closed pipe fails instead of ending the process.
void secure_standard_streams();

// SIGPIPE as this process was started with it; for a child that is to become another program.
void hand_on_sigpipe();

}  // namespace wtpool::client
