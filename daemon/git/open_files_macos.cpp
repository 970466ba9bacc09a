#include <libproc.h>
#include <sys/types.h>

#include "daemon/git/open_files.hpp"

namespace wtpool::git {

bool is_open_somewhere(const std::filesystem::path& file) {
  pid_t found[16];
  const int bytes = ::proc_listpidspath(PROC_ALL_PIDS, 0, file.c_str(), 0, found, sizeof found);
  return bytes != 0;
}

}  // namespace wtpool::git
