#include <stdlib.h>

#include "common/platform/memory.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace wtpool::platform {

// Said once, they stay: by itself glibc raises both each time something larger is freed, to 32 and 64 MiB.
void keep_little_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLarge = 256 * 1024;
  (void)::mallopt(M_MMAP_THRESHOLD, kLarge);
  (void)::mallopt(M_TRIM_THRESHOLD, kLarge);
#endif
}

void give_freed_memory_back() {
#ifdef __GLIBC__
  (void)::malloc_trim(0);
#endif
}

}  // namespace wtpool::platform
