// getpwuid would load the shared libraries of the machine's directory services, which a static client has no place for. The
// file that they begin with is read, and for the rest getent, a program of libc's own, is asked.
#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "common/process/account.hpp"
#include "common/process/run_child.hpp"
#include "proto/errors.hpp"

namespace wtpool::platform {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

std::optional<std::filesystem::path> home_in(std::FILE* lines) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  while (::fgetpwent_r(lines, &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (found->pw_uid != ::getuid()) continue;
    if (found->pw_dir == nullptr || found->pw_dir[0] != '/') return std::nullopt;
    return found->pw_dir;
  }
  return std::nullopt;
}

std::string asked_of_getent() {
  const char* const path = std::getenv("PATH");
  SpawnOptions getent;
  getent.argv = {"getent", "passwd", std::to_string(::getuid())};
  getent.environment = {std::string("PATH=") + (path == nullptr || *path == '\0' ? "/usr/bin:/bin" : path)};
  getent.deadline = kPatience;
  try {
    return run_child(getent).output;
  } catch (const proto::Error&) {
    return {};  // no such program: then nobody else knows either
  }
}

}  // namespace

std::optional<std::filesystem::path> home_of_account() {
  if (const Stream file(std::fopen("/etc/passwd", "re"), &std::fclose); file) {
    if (auto home = home_in(file.get())) return home;
  }
  std::string answer = asked_of_getent();
  if (answer.empty()) return std::nullopt;
  const Stream lines(::fmemopen(answer.data(), answer.size(), "r"), &std::fclose);
  return lines ? home_in(lines.get()) : std::nullopt;
}

}  // namespace wtpool::platform
