// How much one entry may be, and what may stop its making.
#pragma once

#include <cstdint>
#include <functional>

namespace wtpool::store {

struct Limits {
  std::uint64_t files = 2'000'000;
  std::uint64_t bytes = 64ull << 30;
  std::uint64_t ratio = 1000;                   // bytes written for each byte read,
  std::uint64_t ratio_from = 64ull << 20;       // once so many were written
  std::uint64_t reserve = 0;                    // bytes that the disk keeps free
  std::function<bool()> stopped;                // asked now and then; empty: never
  std::function<void(std::uint64_t)> progress;  // bytes written so far
};

}  // namespace wtpool::store
