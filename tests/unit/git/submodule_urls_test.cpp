#include "daemon/git/submodule/urls.hpp"

#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class SubmoduleUrls : public GitRoom {};

TEST_F(SubmoduleUrls, AreRefusedWhereGitWouldRunSomething) {
  for (const char* url :
       {"", "-x", "--upload-pack=touch /tmp/x", "ext::sh -c id", "fd::3", "foo::bar", "foo://host/x",
        "ssh://-oProxyCommand=id/x", "https://host/x\ny", "https://host/x%0ay", "https://host/%0Dx", "EXT::x", "https://"})
    EXPECT_EQ(transport_of(url), Transport::refused) << url;
  for (const char* url : {"https://host/x", "http://host/x", "ssh://git@host/x", "git://host/x", "git@host:a/b.git", "host:x"})
    EXPECT_EQ(transport_of(url), Transport::network) << url;
  for (const char* url : {"/srv/x", "file:///srv/x", "./a:b"}) EXPECT_EQ(transport_of(url), Transport::local) << url;
}

// git is asked for each: what it registers is what it makes of a relative URL.
TEST_F(SubmoduleUrls, RelativeOnesAreWhatGitMakesOfThem) {
  make_source();
  for (const char* remote :
       {"https://host/a/b.git", "https://host/a/b/", "git@host:a/b", "host:b", "/srv/a/b", "file:///srv/a/b"}) {
    for (const char* declared : {"../c.git", "./c", "../../d/c", ".././c", "../c/"}) {
      sh(source_dir, "git config --remove-section submodule.s; git config --remove-section remote.origin; true", true);
      sh(source_dir, "git config remote.origin.url '" + std::string(remote) +
                         "' && git update-index --add --cacheinfo 160000," + id("HEAD").str() +
                         ",s && printf '[submodule \"s\"]\\npath=s\\nurl=%s\\n' '" + declared + "' > .gitmodules");
      const std::string said = sh(source_dir, "git submodule -q init s && git config submodule.s.url", true);
      const auto ours = resolved_url(remote, declared);
      if (ours) {
        EXPECT_EQ(*ours, said) << remote << " " << declared;
      } else {  // git goes on above the root of a host, to what is a path on this one
        EXPECT_EQ(std::string(declared), "../../d/c") << remote;
      }
    }
  }
}

TEST_F(SubmoduleUrls, OneThatLeadsOffItsSourcesHostIsNone) {
  EXPECT_EQ(resolved_url("https://host/a/b", "../c"), "https://host/a/c");
  EXPECT_EQ(resolved_url("git@host:a/b", "../../c"), "git@host:c");
  EXPECT_FALSE(resolved_url("git@host:b", "../../../c"));
  EXPECT_FALSE(resolved_url("https://host/b", "../../other/c"));
  EXPECT_FALSE(resolved_url("https://host/b", "ext::sh -c id"));
  EXPECT_FALSE(resolved_url("https://host/b", "../../../../etc")) << "what was a URL is not a path on this host";
}

TEST_F(SubmoduleUrls, APoolsMirrorsStandInForThem) {
  EXPECT_EQ(bare_mirror_of("/m", "https://host/x/org/repo.git"), "/m/org/repo.git");
  EXPECT_EQ(bare_mirror_of("/m", "git@host:org/repo"), "/m/org/repo.git");
  EXPECT_FALSE(bare_mirror_of("/m", "https://host/repo"));
  EXPECT_FALSE(bare_mirror_of("/m", "https://host/../repo"));
  EXPECT_EQ(modules_mirror_of("/b", {"lib/a"}), "/b/.git/modules/lib/a");
  EXPECT_EQ(modules_mirror_of("/b", {"lib/a", "c"}), "/b/.git/modules/lib/a/modules/c");
}

}  // namespace
}  // namespace wtpool::git
