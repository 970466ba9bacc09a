#include "tests/faults/swept_host.hpp"

#include <signal.h>

#include <algorithm>
#include <stdexcept>

namespace wtpool::test {
namespace {

std::string last_lines(const std::string& text, std::size_t count) {
  const auto lines = lines_of(text);
  std::string last;
  for (std::size_t i = lines.size() > count ? lines.size() - count : 0; i < lines.size(); ++i) last += "\n    " + lines[i];
  return last;
}

Violations files_that(const fs::path& one, const fs::path& other, const std::function<bool(const std::string&)>& bears_name) {
  Violations found;
  for (const auto& below : {one, other}) {
    std::error_code none;
    for (fs::recursive_directory_iterator it(below, none), end; !none && it != end; it.increment(none)) {
      if (it->path().filename() == "objects") it.disable_recursion_pending();
      // A lock on a ref of the killed program's own trash entry is in nobody's way.
      if (it->path().string().find("/refs/wtpool/trash/") != std::string::npos) continue;
      // Nor is one in an entry that was moved aside with all that is in it.
      if (it->path().string().find("/wtpool/aside/") != std::string::npos) continue;
      if (bears_name(it->path().filename().string()))
        found.push_back("a file of a killed program stays: " + it->path().string());
    }
  }
  return found;
}

Repo made(const World& world, const std::function<void(const Repo&)>& by_hand) {
  auto repo = world.make_repo();
  repo.commit("added.txt", "of the second commit\n");
  repo.git({"config", "gc.auto", "0"});
  by_hand(repo);
  return repo;
}

}  // namespace

SweptHost::SweptHost(const std::function<void(const Repo&)>& by_hand) : repo(made(world, by_hand)), before(Before::of(repo)) {
  world.daemon_prefix = {std::string(WTPOOL_BIN_DIR) + "/../tests/wtpool_kill_at",
                         "--order",
                         (world.dir() / "order").string(),
                         "--report",
                         (world.dir() / "report").string(),
                         "--"};
  start_daemon();
  world.init(repo, {"--max-slots", "2"});
}

SweptHost::~SweptHost() {
  if (daemon_) {
    daemon_->signal(SIGTERM);
    (void)daemon_->wait(30s);
  }
}

Outcome SweptHost::acquire(const std::string& name, const std::vector<std::string>& flags) {
  const auto key = name + std::to_string(number);
  std::vector<std::string> arguments = {"--json", "acquire", name, "--key", key};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  ledger.asked(name, key);
  auto outcome = world.wtpool(arguments);
  if (outcome.code == 0)
    ledger.acknowledged(name, json::parse(outcome.out));
  else if (outcome.code != 7)
    ledger.refused(name);
  return outcome;
}

Outcome SweptHost::release(const std::string& name, const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {"release", name};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  ledger.leaving(name);
  auto outcome = world.wtpool(arguments);
  if (outcome.code == 0) ledger.left(name);
  return outcome;
}

void SweptHost::must_acquire(const std::string& name, const std::vector<std::string>& flags) {
  const auto outcome = acquire(name, flags);
  if (outcome.code != 0 || ledger.stories()[name].path != slot())
    throw std::runtime_error("acquire " + name + ": exit " + std::to_string(outcome.code) + ": " + outcome.out + outcome.err);
}

void SweptHost::must_release(const std::string& name, const std::vector<std::string>& flags) {
  auto more = flags;
  more.emplace_back("--wait");
  const auto outcome = release(name, more);
  if (outcome.code != 0)
    throw std::runtime_error("release " + name + ": exit " + std::to_string(outcome.code) + ": " + outcome.err);
}

void SweptHost::write(const std::string& name, const std::string& file) {
  const auto content = name + " wrote " + file + " at point " + std::to_string(number) + "\n";
  write_text(slot() / file, content);
  ledger.wrote(name, file, content);
}

void SweptHost::commit(const std::string& name, const std::string& file) {
  ledger.committed(name, Repo(slot()).commit(file, "commit of " + name + " at point " + std::to_string(number) + "\n"));
}

void SweptHost::arm(const Kill& kill) {
  fs::remove(world.dir() / "report");
  write_text(world.dir() / "order.new", kill.who + " " + std::to_string(kill.at) + " #" + std::to_string(++serial_));
  fs::rename(world.dir() / "order.new", world.dir() / "order");
}

// The killer looks at the order as a call is made, and may be about to carry the last one out.
void SweptHost::end_order() {
  const auto seen = world.dir() / "report.seen";
  fs::remove(world.dir() / "order");
  fs::remove(seen);
  if (!daemon_) return;
  const bool ended = wait_until([&] {
    if (!daemon_->running()) return true;
    ::kill(daemon_->pid(), SIGUSR1);
    return fs::exists(seen) && read_text(seen).empty();
  });
  if (!ended) throw std::runtime_error("wtpool_kill_at does not see that its order is gone");
}

void SweptHost::disarm() {
  end_order();
  fs::remove(world.dir() / "report");
}

std::optional<std::string> SweptHost::report() const {
  const auto text = trimmed(read_text(world.dir() / "report"));
  if (!text.starts_with("killed ")) return std::nullopt;
  return text.substr(7);
}

std::optional<std::string> SweptHost::wait_for_kill(const Kill& kill) {
  std::optional<std::string> killed;
  const bool settled = wait_until(
      [&] {
        killed = report();
        if (killed) return true;
        const auto outcome = world.wtpool({"--json", "ls"});
        const auto list = json::parse(outcome.out, nullptr, false);
        if (outcome.code != 0 || !list.is_array()) return false;
        for (const auto& element : list)
          if (element["state"] == "acquiring" || element["state"] == "recycling") return false;
        killed = report();
        return true;
      },
      90s);
  if (settled && !killed) {
    end_order();
    killed = report();
  }
  if (!settled) throw std::runtime_error("neither killed nor at rest; the daemon's log:" + log());
  if (killed && kill.who != "git") {
    const auto pid = world.pid_in_instance_lock();
    if (pid && !wait_until([&] { return ::kill(*pid, 0) != 0; })) throw std::runtime_error("a killed daemon still runs");
    if (daemon_) orphans_.push_back(std::move(*daemon_));
    daemon_.reset();
    std::erase_if(orphans_, [](Process& process) { return !process.running(); });
  }
  return killed;
}

void SweptHost::start_daemon() {
  daemon_.emplace(world.start_wtpoold());
  const bool up = wait_until([this] { return world.answers() || report() || !daemon_->running(); }, 30s);
  if (!up || (!daemon_->running() && !report())) throw std::runtime_error("wtpoold did not come up: " + daemon_->err_so_far());
}

std::string SweptHost::log() const { return last_lines(read_text(world.state() / "wtpoold.log"), 30); }

std::string SweptHost::signature() const {
  std::string text;
  const auto note = [&](bool is, const char* what) {
    if (is) text += std::string(what) + " ";
  };
  const auto git_dir = repo.common_dir();
  const auto entry = git_dir / "worktrees/slot-0";
  const auto meta = world.root() / "app/.meta";
  const auto marker = flat_yaml(read_text(entry / "worktree-pool/lock"));
  text += (marker.contains("state") ? marker.at("state") : "unmarked") + " ";
  note(fs::exists(meta / "init/slot-0.intent"), "intent");
  note(fs::exists(entry), "entry");
  note(fs::exists(entry) && trimmed(read_text(entry / "commondir")).empty(), "torn");
  note(fs::exists(entry / "index"), "index");
  note(read_text(entry / "HEAD").starts_with("ref:"), "attached");
  note(fs::exists(git_dir / "refs/heads/x"), "branch");
  note(fs::exists(git_dir / "packed-refs.lock"), "packed-refs.lock");
  note(fs::exists(git_dir / "refs/heads/x.lock"), "branch.lock");
  return text;
}

Violations SweptHost::use_another_slot() {
  const auto acquired = acquire("next");
  if (acquired.code != 0) return {"7: the next acquire ends with " + std::to_string(acquired.code) + ": " + acquired.err};
  const auto released = release("next", {"--wait"});
  if (released.code != 0) return {"7: the next release ends with " + std::to_string(released.code) + ": " + released.err};
  if (fs::exists(world.root() / "app/slot-1")) (void)world.wtpool({"remove", "slot-1"});
  return {};
}

Violations SweptHost::unfinished_files() const {
  return files_that(repo.common_dir(), world.root() / "app/.meta",
                    [](const std::string& name) { return name.starts_with(".wtpool-") && name.ends_with(".tmp"); });
}

Violations SweptHost::locks() const {
  return files_that(repo.common_dir(), {},
                    [](const std::string& name) { return name.ends_with(".lock") || name == "packed-refs.new"; });
}

}  // namespace wtpool::test
