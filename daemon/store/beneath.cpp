#include "daemon/store/beneath.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#include <array>
#include <cerrno>

#include "common/files/files.hpp"

namespace wtpool::store {
namespace {

constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Fd step(int above, const std::string& name, bool make) {
  Fd fd(::openat(above, name.c_str(), kFlags));
  if (fd.valid() || !make || errno != ENOENT) return fd;
  if (::mkdirat(above, name.c_str(), 0777) != 0 && errno != EEXIST) return fd;
  fd.reset(::openat(above, name.c_str(), kFlags));
  return fd;
}

Fd walk(const std::filesystem::path& top, const std::string& relative, bool make) {
  Fd at(::open(top.c_str(), kFlags));
  for (std::size_t start = 0; at.valid() && start < relative.size();) {
    const std::size_t end = std::min(relative.find('/', start), relative.size());
    const std::string name = relative.substr(start, end - start);
    start = end + 1;
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      errno = EINVAL;
      return Fd();
    }
    Fd next = step(at.get(), name, make);
    at = std::move(next);
  }
  return at;
}

}  // namespace

Fd open_beneath(const std::filesystem::path& top, const std::string& relative) {
#ifdef __linux__
  Fd above(::open(top.c_str(), kFlags));
  if (!above.valid() || relative.empty()) return above;
  open_how how{};
  how.flags = static_cast<unsigned long long>(kFlags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, above.get(), relative.c_str(), &how, sizeof how);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN)) return Fd(static_cast<int>(fd));
#endif
  return walk(top, relative, false);
}

Fd make_beneath(const std::filesystem::path& top, const std::string& relative) {
  Fd fd = walk(top, relative, true);
  if (!fd.valid()) throw io_error("cannot make the directory", top / relative, errno);
  return fd;
}

std::optional<std::string> link_target(int directory, const std::string& name) {
  std::array<char, 4097> target{};
  const ssize_t size = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

}  // namespace wtpool::store
