// What was freed is not kept by the C library: a daemon with a few large slots would have hundreds of megabytes for nothing.
#include "common/platform/memory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace wtpool::platform {
namespace {

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
long resident_pages() {
  std::ifstream file("/proc/self/statm");
  long size = 0, resident = 0;
  file >> size >> resident;
  return resident;
}

// As a job does it: a text of all files, a string for each of them, and something small that stays behind it.
TEST(FreedMemory, OfListsThatOtherThreadsMadeGoesBackToTheSystem) {
  keep_little_freed_memory();
  const long before = resident_pages();
  std::vector<std::thread> threads;
  std::vector<std::vector<std::string>> small(4);
  for (auto& stays : small) {
    threads.emplace_back([&stays] {
      std::string text;
      std::vector<std::string> names;
      for (int i = 0; i < 80'000; ++i) {
        names.push_back("drivers/gpu/drm/amd/display/dc/dce/a_file_with_some_name_" + std::to_string(i));
        text += names.back() + "\n";
      }
      stays.emplace_back(100, 'x');
    });
  }
  for (auto& thread : threads) thread.join();
  give_freed_memory_back();
  EXPECT_LT(resident_pages() - before, 2048) << "pages of 4 KiB; the lists had some 15,000";
}
#endif

}  // namespace
}  // namespace wtpool::platform
