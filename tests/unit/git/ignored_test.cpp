#include "daemon/git/tree/ignored.hpp"

#include "daemon/git/source/add_worktree.hpp"
#include "daemon/git/tree/checkout.hpp"
#include "tests/unit/git/support.hpp"

namespace wtpool::git {
namespace {

class IgnoredFiles : public GitRoom {};

TEST_F(IgnoredFiles, AreCountedAndThePreciousNamed) {
  make_source();
  write(source_dir / ".gitignore", "build/\n*.o\n.env*\nnotes\nsecrets/\n");
  sh(source_dir, "git add -A && git commit -qm 1");
  const Git git = ready_slot();
  write(slot_path() / "build/a.o", "12345");
  write(slot_path() / "build/.env", "of some package");
  write(slot_path() / "x.o", "123");
  write(slot_path() / ".env.local", "SECRET");
  write(slot_path() / "notes", "by hand");
  write(slot_path() / "secrets/key", "k");
  const Ignored found = ignored_in(git, 0);
  EXPECT_EQ(found.files, 6U);
  EXPECT_EQ(found.bytes, 5U + 15 + 3 + 6 + 7 + 1);
  EXPECT_EQ(found.precious, (std::vector<std::string>{".env.local", "notes", "secrets"}));
  EXPECT_EQ(ignored_in(git, 1LL << 40).precious, (std::vector<std::string>{".env.local", "secrets"})) << "old notes";
}

}  // namespace
}  // namespace wtpool::git
