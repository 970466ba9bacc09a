// The program of one target: WTPOOL_FUZZ_TARGET names its function.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    wtpool::fuzz::WTPOOL_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  } catch (const wtpool::fuzz::Broken& broken) {
    std::fprintf(stderr, "broken promise: %s\n", broken.what.c_str());
    std::abort();
  }
  return 0;
}
