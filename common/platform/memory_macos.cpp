#include <malloc/malloc.h>

#include "common/platform/memory.hpp"

namespace wtpool::platform {

void keep_little_freed_memory() {}

void give_freed_memory_back() { (void)::malloc_zone_pressure_relief(nullptr, 0); }

}  // namespace wtpool::platform
