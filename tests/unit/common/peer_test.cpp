#include "common/platform/peer.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wtpool::platform {
namespace {

TEST(Peer, OfThisNamespaceIsNoStrangerAndOneWithoutANumberIs) {
  EXPECT_FALSE(is_of_another_pid_namespace({::getuid(), ::getgid(), ::getpid()}));
#ifdef __linux__
  EXPECT_TRUE(is_of_another_pid_namespace({::getuid(), ::getgid(), std::nullopt}));
#endif
}

}  // namespace
}  // namespace wtpool::platform
