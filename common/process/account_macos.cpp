#include <pwd.h>
#include <unistd.h>

#include <vector>

#include "common/process/account.hpp"

namespace wtpool::platform {

std::optional<std::filesystem::path> home_of_account() {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
  if (entry.pw_dir == nullptr || entry.pw_dir[0] != '/') return std::nullopt;
  return entry.pw_dir;
}

}  // namespace wtpool::platform
