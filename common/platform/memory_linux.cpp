#include <stdlib.h>

#include "common/platform/memory.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

// A sanitizer brings a heap of its own. glibc's is empty then, and is first set up by whoever asks it for something: two
// threads that do so at once meet half of it.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WTPOOL_GLIBC_HEAP
#endif

namespace wtpool::platform {

// Said once, they stay: by itself glibc raises both each time something larger is freed, to 32 and 64 MiB.
void keep_little_freed_memory() {
#ifdef WTPOOL_GLIBC_HEAP
  constexpr int kLarge = 256 * 1024;
  (void)::mallopt(M_MMAP_THRESHOLD, kLarge);
  (void)::mallopt(M_TRIM_THRESHOLD, kLarge);
#endif
}

void give_freed_memory_back() {
#ifdef WTPOOL_GLIBC_HEAP
  (void)::malloc_trim(0);
#endif
}

}  // namespace wtpool::platform
