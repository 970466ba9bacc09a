#include "tests/faults/sweep_operations.hpp"

namespace wtpool::test {
namespace {

void nothing(const Repo&) {}

// A commit beside main's, on `branch`; the source's own HEAD stays where it is.
void make_branch(const Repo& source, const std::string& branch) {
  const auto tip = source.git({"commit-tree", "-p", "HEAD", "-m", "of " + branch, "HEAD^{tree}"});
  source.git({"update-ref", "refs/heads/" + branch, tip});
}
void make_x(const Repo& source) { make_branch(source, "x"); }
void make_other(const Repo& source) { make_branch(source, "other"); }

// ---- before an acquire ----
void idle(SweptHost& host) {
  if (fs::exists(host.slot()) && !fs::exists(marker_of(host.slot()))) return;
  host.must_acquire("w");
  host.must_release("w");
}

void fresh(SweptHost& host) {
  if (!fs::exists(host.slot())) return;
  const auto outcome = host.world.wtpool({"remove", "slot-0"});
  if (outcome.code != 0) throw std::runtime_error("remove slot-0: " + outcome.err);
}

// Idle at the commit before, and a file of its last holder lies where main's commit has one.
void idle_elsewhere(SweptHost& host) {
  host.must_acquire("w", {"--commit", "main~1"});
  host.write("w", "added.txt");
  host.must_release("w");
}

// Its tip is the owner's: it must be kept for ever.
void idle_and_x_is_there(SweptHost& host) {
  idle(host);
  if (!host.repo.has_branch("x")) {
    const auto tip = trimmed(read_text(host.world.dir() / "tip"));
    host.repo.git({"update-ref", "refs/heads/x", tip});
    return;
  }
  const auto tip = host.repo.git({"rev-parse", "refs/heads/x"});
  write_text(host.world.dir() / "tip", tip + "\n");
  host.ledger.asked("owner");
  host.ledger.committed("owner", tip);
  host.ledger.left("owner");
}

// ---- before a release ----
void hold(SweptHost& host) { host.must_acquire("x"); }

void hold_dirt(SweptHost& host) {
  hold(host);
  host.write("x", "README.md");
  const auto staged = "staged-" + std::to_string(host.number) + ".txt";
  host.write("x", staged);
  git(host.slot(), {"add", "--", staged});
  host.write("x", "untracked-" + std::to_string(host.number) + ".txt");
}

void hold_commits(SweptHost& host) {
  hold(host);
  host.commit("x", "on-the-branch.txt");
  git(host.slot(), {"switch", "-q", "--detach"});
  host.commit("x", "detached.txt");
  host.write("x", "README.md");
}

void hold_elsewhere(SweptHost& host) {
  hold(host);
  host.commit("x", "on-the-branch.txt");
  git(host.slot(), {"switch", "-q", "other"});
  host.write("x", "README.md");
}

// ---- the commands ----
Outcome acquire_x(SweptHost& host) { return host.acquire("x"); }
Outcome resume_x(SweptHost& host) { return host.acquire("x", {"--resume"}); }
Outcome replace_x(SweptHost& host) { return host.acquire("x", {"--replace"}); }
Outcome release_x(SweptHost& host) { return host.release("x"); }
Outcome discard_x(SweptHost& host) {
  host.ledger.discards("x");
  return host.release("x", {"--discard"});
}

// ---- and again ----
Violations held_x_again(SweptHost& host, const std::vector<std::string>& flags, const std::string& commit) {
  const auto outcome = host.acquire("x", flags);
  if (outcome.code != 0) return {"3: asked again, acquire ends with " + std::to_string(outcome.code) + ": " + outcome.err};
  const auto path = host.ledger.stories()["x"].path;
  Violations found;
  const auto expect = [&](const std::string& what, const std::string& is, const std::string& should) {
    if (is != should) found.push_back("3: asked again, " + what + " is '" + is + "', not '" + should + "'");
  };
  expect("HEAD's branch", trimmed(try_git(path, {"symbolic-ref", "HEAD"}).out), "refs/heads/x");
  expect("HEAD", trimmed(try_git(path, {"rev-parse", "HEAD"}).out), commit);
  expect("the status", try_git(path, {"status", "--porcelain", "--untracked-files=no"}).out, "");
  const auto released = host.release("x", {"--wait"});
  if (released.code != 0) found.push_back("3: release ends with " + std::to_string(released.code) + ": " + released.err);
  if (path != host.slot()) (void)host.world.wtpool({"remove", path.filename()});  // the fault made it pass slot-0 over
  return found;
}

Violations acquire_again(SweptHost& host) { return held_x_again(host, {}, host.repo.head()); }
Violations resume_again(SweptHost& host) {
  return held_x_again(host, {"--resume"}, trimmed(read_text(host.world.dir() / "tip")));
}
Violations replace_again(SweptHost& host) { return held_x_again(host, {"--replace"}, host.repo.head()); }

Violations release_again(SweptHost& host) {
  Violations found;
  const auto outcome = host.release("x", {"--wait"});
  if (outcome.code != 0)
    found.push_back("3: asked again, release ends with " + std::to_string(outcome.code) + ": " + outcome.err);
  if (host.repo.has_branch("x")) found.emplace_back("3: the branch of a lease that is over is still there");
  return found;
}

Violations discard_again(SweptHost& host) {
  Violations found;
  const auto outcome = host.release("x", {"--wait", "--discard"});
  if (outcome.code != 0)
    found.push_back("3: asked again, release ends with " + std::to_string(outcome.code) + ": " + outcome.err);
  return found;
}

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = {
      {"acquire-fresh", nothing, fresh, acquire_x, acquire_again},
      {"acquire-idle", nothing, idle, acquire_x, acquire_again},
      {"acquire-move", nothing, idle_elsewhere, acquire_x, acquire_again},
      {"acquire-resume", make_x, idle_and_x_is_there, resume_x, resume_again},
      {"acquire-replace", make_x, idle_and_x_is_there, replace_x, replace_again},
      {"release-clean", nothing, hold, release_x, release_again},
      {"release-dirty", nothing, hold_dirt, release_x, release_again},
      {"release-commits", nothing, hold_commits, release_x, release_again},
      {"release-switched", make_other, hold_elsewhere, release_x, release_again},
      {"release-discard", nothing, hold_dirt, discard_x, discard_again},
  };
  return all;
}

}  // namespace wtpool::test
