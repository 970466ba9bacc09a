// Archives as a test wants them, good and hostile: a tar written byte by byte, and the other forms by libarchive.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wtpool::store::test {

struct TarMember {
  std::string name;
  char type = '0';  // '0' file, '1' hard link, '2' symlink, '3' character device, '5' directory, '6' pipe
  std::string content = {};
  std::string target = {};
  unsigned mode = 0644;
  std::int64_t mtime = 1'700'000'000;
  bool wrong_sum = false;
};

[[nodiscard]] std::string tar_of(const std::vector<TarMember>& members);

enum class Form { tar, tar_gz, tar_xz, tar_zst, zip };
// The same members through libarchive's own writer.
[[nodiscard]] std::string archive_of(const std::vector<TarMember>& members, Form form);

}  // namespace wtpool::store::test
