#include "tests/faults/stage.hpp"

#include <signal.h>

namespace wtpool::test {

Stage::Stage() : repo(world.make_repo()), before(Before::of(repo)) {
  world.start_daemon();
  world.init(repo);
}

void Stage::restart(const std::string& failpoint) {
  world.stop_daemon();
  start(failpoint);
}

void Stage::start(const std::string& failpoint) {
  world.environment.erase("WTPOOL_FAILPOINT");
  if (failpoint.empty()) return world.start_daemon();
  world.environment["WTPOOL_FAILPOINT"] = failpoint;
  world.launch_daemon();
  world.environment.erase("WTPOOL_FAILPOINT");
}

bool Stage::daemon_died(std::chrono::milliseconds patience) {
  const bool died = wait_until([this] { return !world.daemon().running(); }, patience);
  if (!died) world.daemon().signal(SIGTERM);
  (void)world.daemon().wait();
  return died;
}

int Stage::acquire(const std::string& name, std::vector<std::string> more) {
  more.insert(more.begin(), {"--json", "acquire", name, "--key", "key-of-" + name});
  ledger.asked(name, "key-of-" + name);
  const auto outcome = world.wtpool(more);
  if (outcome.code == 0) ledger.acknowledged(name, json::parse(outcome.out));
  return outcome.code;
}

int Stage::release(const std::string& name, std::vector<std::string> more) {
  if (std::ranges::find(more, "--discard") != more.end()) ledger.discards(name);
  more.insert(more.begin(), {"release", name, "--wait"});
  ledger.leaving(name);
  const auto outcome = world.wtpool(more);
  if (outcome.code == 0) ledger.left(name);
  return outcome.code;
}

std::string Stage::next_content(const std::string& name) {
  return "content " + std::to_string(++contents_) + " of " + name + ", and of nobody else\n";
}

void Stage::commit(const std::string& name, const std::string& file) {
  const Repo there(slot(name));
  ledger.committed(name, there.commit(file, next_content(name)));
  const auto files = ledger.stories().at(name).files;
  for (const auto& [staged, content] : files)  // went into it too
    if (there.try_git({"show", "HEAD:" + staged}).out == content) ledger.saved(name, staged);
}

void Stage::write(const std::string& name, const std::string& file) {
  const auto content = next_content(name);
  write_text(slot(name) / file, content);
  ledger.wrote(name, file, content);
}

void Stage::stage(const std::string& name, const std::string& file) {
  write(name, file);
  git(slot(name), {"add", "--", file});
}

}  // namespace wtpool::test
