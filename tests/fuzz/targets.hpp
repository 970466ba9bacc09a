// What may be said of every input, one function a reader of untrusted bytes. Each throws Broken when a promise of its reader
// does not hold; no other exception, crash or hang is anything but a bug. libFuzzer drives them, and so does corpus_test.
#pragma once

#include <string>
#include <string_view>

namespace wtpool::fuzz {

struct Broken {
  std::string what;  // the promise, and what came instead
};

inline void holds(bool condition, const std::string& promise) {
  if (!condition) throw Broken{promise};
}

// A number that the input decides and that changes with each of its bytes: FNV-1a.
[[nodiscard]] std::size_t number_of(std::string_view input);

void splitter(std::string_view input);
void decoder(std::string_view input);
void marker(std::string_view input);
void config(std::string_view input);
void gitmodules(std::string_view input);

}  // namespace wtpool::fuzz
