#include "common/platform/mounts.hpp"

#include <gtest/gtest.h>

namespace wtpool::platform {
namespace {

TEST(Mounts, AreReadFromTheListingOfTheSystem) {
  const auto points = mount_points_in(
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "36 22 8:1 /cache /pools/app/slot-0/a\\040b\\134c rw - ext4 /dev/sda1 rw\n"
      "half a line\n");
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0], "/");
  EXPECT_EQ(points[1], "/pools/app/slot-0/a b\\c");
}

}  // namespace
}  // namespace wtpool::platform
