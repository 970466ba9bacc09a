// What is the same on every system: reading and writing, and the probe.
#include "common/platform/clone.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "common/base/clock.hpp"
#include "common/files/files.hpp"

namespace wtpool {
namespace {

constexpr std::size_t kProbeSize = std::size_t{128} << 10;
constexpr std::size_t kBlock = std::size_t{256} << 10;

// A file of the probe, gone with it.
struct ProbeFile {
  explicit ProbeFile(std::filesystem::path file)
      : path(std::move(file)), fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {}
  ProbeFile(const ProbeFile&) = delete;
  ProbeFile& operator=(const ProbeFile&) = delete;
  ~ProbeFile() {
    if (fd.valid()) ::unlink(path.c_str());
  }
  std::filesystem::path path;
  Fd fd;
};

bool write_all(int fd, const char* bytes, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t written = ::write(fd, bytes + done, size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

std::string content_of(int fd) {
  std::string content(kProbeSize + 1, '\0');
  const ssize_t got = ::pread(fd, content.data(), content.size(), 0);
  content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return content;
}

CloneProbe probe(const std::filesystem::path& directory) {
  const std::string name = ".wtpool-probe-" + random_hex(16);
  const std::string no = file_system_name(directory) + ": ";
  const ProbeFile from(directory / name);
  const ProbeFile to(directory / (name + "-clone"));
  if (!from.fd.valid() || !to.fd.valid()) return {false, no + "no file can be made in " + directory.string()};
  std::string content = random_hex(64);
  while (content.size() < kProbeSize) content += content;
  content.resize(kProbeSize);
  if (!write_all(from.fd.get(), content.data(), content.size()) || ::fsync(from.fd.get()) != 0)
    return {false, no + "no file can be written in " + directory.string()};
  if (clone_file(from.fd.get(), to.fd.get()) != Cloned::shared) return {false, no + "no reflink"};
  if (content_of(to.fd.get()) != content) return {false, no + "a clone differs from its file"};
  return {true, {}};
}

}  // namespace

bool copy_file_bytes(int from, int to) {
  std::vector<char> block(kBlock);
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(from, block.data(), block.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    if (!write_all(to, block.data(), static_cast<std::size_t>(got))) return false;
    at += got;
  }
}

CloneProbe can_clone(const std::filesystem::path& directory) {
  static std::mutex mutex;
  static std::map<dev_t, CloneProbe> known;
  const auto stat = lstat_of(directory);
  if (!stat) return {false, directory.string() + " is not there"};
  const std::lock_guard lock(mutex);
  const auto found = known.find(stat->st_dev);
  if (found != known.end()) return found->second;
  const CloneProbe seen = probe(directory);
  // That nothing could be written is no fact about the file system.
  if (seen.works || seen.why.ends_with("no reflink")) known.emplace(stat->st_dev, seen);
  return seen;
}

}  // namespace wtpool
