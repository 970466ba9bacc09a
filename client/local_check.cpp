#include "client/local_check.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "client/spawn.hpp"
#include "common/files.hpp"

namespace wtpool::client {

void become_check(std::vector<std::string> arguments) {
  std::string program = find_wtpoold().string();
  std::string check = "--check";
  std::vector<char*> argv = {program.data(), check.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  ::execv(program.c_str(), argv.data());
  throw io_error("cannot run", program, errno);
}

}  // namespace wtpool::client
