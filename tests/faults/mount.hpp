// File systems of a test's own: small, full, read-only or gone. Needs root, and says so.
#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/support/process.hpp"

namespace wtpool::test {

class Mount {
 public:
  static Mount tmpfs(const fs::path& at, const std::string& options) { return {"tmpfs", at, "tmpfs", 0, options}; }
  static Mount bind(const fs::path& what, const fs::path& at) { return {what.string(), at, "", MS_BIND, ""}; }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  ~Mount() { ::umount2(at_.c_str(), MNT_DETACH); }

  void remount_read_only(bool yes) const {
    if (::mount(nullptr, at_.c_str(), nullptr, MS_REMOUNT | (yes ? static_cast<unsigned long>(MS_RDONLY) : 0), nullptr) != 0)
      throw std::runtime_error("cannot remount " + at_.string() + ": " + std::strerror(errno));
  }
  // Writes until there is no byte left, or no inode. The file, or the folder of files, is what takes it all.
  [[nodiscard]] fs::path fill_bytes() const {
    const auto file = at_ / "filler";
    std::string block(1 << 16, 'x');
    std::FILE* stream = std::fopen(file.c_str(), "we");
    ::setvbuf(stream, nullptr, _IONBF, 0);
    for (std::size_t size = block.size(); size > 0; size /= 2)
      while (std::fwrite(block.data(), 1, size, stream) == size) continue;
    std::fclose(stream);
    return file;
  }
  [[nodiscard]] fs::path fill_inodes() const {
    const auto folder = at_ / "filler";
    fs::create_directory(folder);
    for (int number = 0;; ++number) {
      std::FILE* stream = std::fopen((folder / std::to_string(number)).c_str(), "we");
      if (stream == nullptr) return folder;
      std::fclose(stream);
    }
  }

 private:
  Mount(const std::string& what, const fs::path& at, const std::string& type, unsigned long flags, const std::string& options)
      : at_(at) {
    fs::create_directories(at);
    if (::mount(what.c_str(), at.c_str(), type.empty() ? nullptr : type.c_str(), flags, options.c_str()) != 0)
      throw std::runtime_error("cannot mount at " + at.string() + ": " + std::strerror(errno));
  }
  fs::path at_;
};

// Why mounts cannot be made here; nothing when they can.
inline std::optional<std::string> no_mounts() {
  if (::getuid() != 0) return "only root can mount a file system to fill";
  const TempDir probe;
  try {
    const Mount mount = Mount::tmpfs(probe.path() / "m", "size=1m");
  } catch (const std::runtime_error& failed) {
    return failed.what();
  }
  return std::nullopt;
}

}  // namespace wtpool::test
