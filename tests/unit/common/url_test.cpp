#include "common/base/url.hpp"

#include <gtest/gtest.h>

namespace wtpool {
namespace {

TEST(Url, IsASchemeOrAHostWithAPath) {
  for (const char* url :
       {"https://host/x.git", "ssh://git@host:22/x", "git://host/x", "file:///x", "git@host:x/y.git", "host:x"}) {
    EXPECT_TRUE(is_url(url)) << url;
  }
  for (const char* path : {"/srv/x", "./a:b", "../x.git", "/a:b", "x", "~/x", "", "a/b:c", ":x"}) {
    EXPECT_FALSE(is_url(path)) << path;
  }
}

TEST(Url, HasAPasswordBehindItsUser) {
  EXPECT_TRUE(has_password("https://me:secret@host/x"));
  EXPECT_TRUE(has_password("https://me:se@cret@host/x"));
  EXPECT_TRUE(has_password("https://:token@host/x"));
  EXPECT_FALSE(has_password("https://me@host/x"));
  EXPECT_FALSE(has_password("https://host:8080/x@y:z"));
  EXPECT_FALSE(has_password("git@host:x"));
}

TEST(Url, IsShownWithoutUserAndPassword) {
  EXPECT_EQ(without_credentials("https://me:se@cret@host/x"), "https://host/x");
  EXPECT_EQ(without_credentials("git@host:x/y.git"), "host:x/y.git");
  EXPECT_EQ(without_credentials("https://host:80/a@b"), "https://host:80/a@b");
  EXPECT_EQ(without_credentials("fatal: unable to access 'https://me:pw@host/x/': no,\n ask me@home"),
            "fatal: unable to access 'https://host/x/': no,\n ask me@home");
  EXPECT_EQ(without_credentials("'git@host:x' failed"), "'host:x' failed");
}

}  // namespace
}  // namespace wtpool
