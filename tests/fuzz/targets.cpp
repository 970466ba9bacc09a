#include "tests/fuzz/targets.hpp"

#include <cstdint>

namespace wtpool::fuzz {

std::size_t number_of(std::string_view input) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : input) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return static_cast<std::size_t>(hash);
}

}  // namespace wtpool::fuzz
