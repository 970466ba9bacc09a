#include <libproc.h>
#include <sys/types.h>

#include "common/platform/open_files.hpp"

namespace wtpool::git {

std::optional<std::vector<std::int64_t>> openers_of(const std::filesystem::path& file) {
  pid_t found[64];
  const int bytes = ::proc_listpidspath(PROC_ALL_PIDS, 0, file.c_str(), 0, found, sizeof found);
  if (bytes < 0) return std::nullopt;
  const auto count = static_cast<std::size_t>(bytes) / sizeof found[0];
  return std::vector<std::int64_t>(found, found + count);
}

}  // namespace wtpool::git
