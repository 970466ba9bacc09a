// What the C library keeps of memory that was freed. A list of 80,000 files takes 20 MB for a moment, and glibc would keep that
// for each thread that ever made one. Any thread.
#pragma once

namespace wtpool::platform {

// Once, before there are other threads: what is large goes back to the system when it is freed.
void keep_little_freed_memory();
// Now, what lies free between the rest. Milliseconds: for after a job nobody waits for.
void give_freed_memory_back();

}  // namespace wtpool::platform
