#include "common/base/failpoint.hpp"

#ifdef WTPOOL_FAILPOINTS
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "common/files/fd.hpp"

namespace wtpool {
namespace {

struct Rule {
  std::string name;
  int when = 0;  // 0: every time
  std::string action;
  std::string file;
  int passed = 0;
};

std::vector<Rule> rules_from(const char* text) {
  std::vector<Rule> rules;
  std::istringstream items(text ? text : "");
  for (std::string item; std::getline(items, item, ',');) {
    const auto colon = item.find(':');
    if (colon == std::string::npos) continue;
    Rule rule;
    rule.name = item.substr(0, colon);
    rule.action = item.substr(colon + 1);
    if (const auto at = rule.name.find('@'); at != std::string::npos) {
      std::from_chars(rule.name.data() + at + 1, rule.name.data() + rule.name.size(), rule.when);
      rule.name.resize(at);
    }
    if (const auto is = rule.action.find('='); is != std::string::npos) {
      rule.file = rule.action.substr(is + 1);
      rule.action.resize(is);
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

void append_line(const std::string& file, const std::string& name) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string line = name + "\n";
  if (::write(fd.get(), line.data(), line.size()) < 0) ::_exit(120);  // a test that learns nothing must not pass
}

}  // namespace

void failpoint(const char* name) {
  static std::mutex mutex;
  static std::vector<Rule> rules = rules_from(::getenv("WTPOOL_FAILPOINT"));
  std::vector<std::string> waits;
  {
    const std::lock_guard guard(mutex);
    for (auto& rule : rules) {
      if (rule.name != "*" && rule.name != name) continue;
      ++rule.passed;
      if (rule.when != 0 && rule.when != rule.passed) continue;
      if (rule.action == "log") append_line(rule.file, name);
      if (rule.action == "kill") ::kill(::getpid(), SIGKILL);
      if (rule.action == "wait") waits.push_back(rule.file);
    }
  }
  for (const auto& file : waits)
    while (::access(file.c_str(), F_OK) == 0) ::usleep(1000);
}

}  // namespace wtpool
#endif
