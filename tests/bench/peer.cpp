#include "tests/bench/peer.hpp"

#include <algorithm>

namespace wtpool::bench {
namespace {

// How many times peer.sh starts git, when its slot is the only one held.
constexpr int kGitsOfAcquire = 4;
constexpr int kGitsOfRelease = 5;

}  // namespace

Peer::Peer(const Ground& ground)
    : ground_(ground), pool_(ground.where() / "peer"), without_git_(ground.environment()), nothing_(WTPOOL_BENCH_NOTHING) {
  const fs::path bin = ground.where() / "bin";
  fs::create_directories(bin);
  fs::create_symlink(nothing_, bin / "git");
  without_git_["PATH"] = bin.string() + ":" + without_git_["PATH"];
}

fs::path Peer::slot(int number) const { return pool_ / ("slot-" + std::to_string(number)); }

Argv Peer::script(const std::string& verb, int number, const std::string& name, const std::string& commit) const {
  Argv argv = {WTPOOL_SOURCE_DIR "/tests/bench/peer.sh", verb, ground_.source().string(), slot(number).string(), name};
  if (!commit.empty()) argv.push_back(commit);
  return argv;
}

Peer::Use Peer::use(const std::string& name, const std::string& commit) {
  Use use;
  use.acquire.whole = timed(script("acquire", 0, name, commit), ground_.environment());
  use.release.whole = timed(script("release", 0, name), ground_.environment());
  const double nothing = timed({nothing_}, ground_.environment());
  const double acquire = timed(script("acquire", 0, name, commit), without_git_);
  const double release = timed(script("release", 0, name), without_git_);
  use.acquire.script = std::max(0.0, acquire - kGitsOfAcquire * nothing);
  use.release.script = std::max(0.0, release - kGitsOfRelease * nothing);
  return use;
}

AtOnce Peer::acquire_at_once(int n, const std::string& prefix, const std::string& commit) {
  std::vector<Argv> commands;
  Argv branches = {"git", "-C", ground_.source().string(), "branch", "-q", "-D"};
  for (int i = 0; i < n; ++i) {
    commands.push_back(script("acquire", i, prefix + std::to_string(i), commit));
    branches.push_back(prefix + std::to_string(i));
  }
  const auto took = timed_at_once(commands, ground_.environment());
  for (int i = 0; i < n; ++i) {
    timed({"git", "-C", slot(i).string(), "update-ref", "--no-deref", "HEAD", commit}, ground_.environment());
    fs::remove(test::gitdir_of(slot(i)) / "peer/marker");
  }
  timed(branches, ground_.environment());
  return took;
}

BareGit::BareGit(const Ground& ground) : ground_(ground), slot_((ground.where() / "bare").string()) {
  ground.add_worktree(slot_);
}

double BareGit::acquire(const std::string& name, const std::string& commit) const {
  return timed({"git", "-C", slot_, "switch", "-q", "-c", name, commit}, ground_.environment());
}

double BareGit::release(const std::string& name) const {
  return timed({"git", "-C", slot_, "switch", "-q", "--detach"}, ground_.environment()) +
         timed({"git", "-C", ground_.source().string(), "branch", "-q", "-D", name}, ground_.environment());
}

}  // namespace wtpool::bench
