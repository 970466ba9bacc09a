#include "common/files/disk_usage.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace wtpool {
namespace {

namespace fs = std::filesystem;

class DiskUsageOf : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/wtpool-usage-XXXXXX";
    root = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(root); }
  fs::path file(const std::string& name, std::size_t bytes) const {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name, std::ios::binary) << std::string(bytes, 'x');
    return root / name;
  }
  fs::path root;
};

TEST_F(DiskUsageOf, AFileThatHasSeveralNamesCountsOnce) {
  const fs::path one = file("a/one", 100'000);
  const std::uint64_t alone = DiskUsage().add(root);
  EXPECT_GE(alone, 100'000u);
  fs::create_hard_link(one, root / "a/two");
  EXPECT_LT(DiskUsage().add(root), alone + 50'000);
  fs::create_hard_link(one, root / "three");
  DiskUsage both;
  both.add(root / "a");
  EXPECT_EQ(both.add(root / "three"), 0u);
}

TEST_F(DiskUsageOf, ASymlinkIsNotWhatItLeadsTo) {
  file("big/one", 1'000'000);
  fs::create_directories(root / "links");
  fs::create_directory_symlink(root / "big", root / "links/big");
  fs::create_symlink(root / "big/one", root / "links/one");
  EXPECT_LT(DiskUsage().add(root / "links"), 100'000u);
}

TEST_F(DiskUsageOf, ASparseFileIsWhatIsAllocated) {
  file("sparse", 1);
  fs::resize_file(root / "sparse", 1ull << 30);
  EXPECT_LT(DiskUsage().add(root / "sparse"), 1u << 20);
}

TEST_F(DiskUsageOf, NothingIsNothing) { EXPECT_EQ(DiskUsage().add(root / "not there"), 0u); }

TEST_F(DiskUsageOf, StopsWhenItIsTold) {
  file("one", 10);
  DiskUsage usage([] { return true; });
  usage.add(root);
  EXPECT_FALSE(usage.complete());
  DiskUsage whole([] { return false; });
  whole.add(root);
  EXPECT_TRUE(whole.complete());
}

}  // namespace
}  // namespace wtpool
