#include "client/daemon/local_check.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "client/daemon/start.hpp"
#include "common/files/files.hpp"

namespace wtpool::client {

void become_check(const std::string& check, const Globals& globals, std::vector<std::string> further) {
  std::vector<std::string> words = {find_wtpoold().string(), "--check", check};
  if (globals.json) words.emplace_back("--json");
  if (globals.socket) words.insert(words.end(), {"--socket", *globals.socket});
  words.insert(words.end(), further.begin(), further.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  ::execv(argv.front(), argv.data());
  throw io_error("cannot run", words.front(), errno);
}

}  // namespace wtpool::client
