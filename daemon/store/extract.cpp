#include "daemon/store/extract.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/store/archive.hpp"
#include "daemon/store/tree_writer.hpp"

namespace wtpool::store {
namespace {

using proto::Error;
using proto::ErrorKind;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::store_refused, "the member '" + printable(name) + "' is refused: " + why);
}

void write_file(Archive& archive, TreeWriter& writer, const Member& member) {
  writer.begin_file(member.name, {member.mode, member.mtime_ns});
  std::uint64_t end = 0;
  while (const auto block = archive.next_block()) {
    writer.set_bytes_read(archive.bytes_read());
    writer.data(block->offset, block->bytes);
    end = block->offset + block->bytes.size();
  }
  writer.set_bytes_read(archive.bytes_read());
  writer.end_file(std::max(end, member.size));  // a sparse file may end with a hole
}

Extracted extract_archive(Archive& archive, const std::filesystem::path& tree, const Limits& limits) {
  TreeWriter writer(tree, limits);
  bool any = false;
  while (const auto member = archive.next()) {
    any = true;
    writer.set_bytes_read(archive.bytes_read());
    const TreeWriter::Attributes attributes{member->mode, member->mtime_ns};
    if (member->encrypted) refuse(member->name, "it is encrypted");
    switch (member->kind) {
      case Member::Kind::file:
        write_file(archive, writer, *member);
        break;
      case Member::Kind::directory:
        writer.directory(member->name, attributes);
        break;
      case Member::Kind::symlink:
        writer.symlink(member->name, member->target, attributes);
        break;
      case Member::Kind::hard_link:
        writer.hard_link(member->name, member->target);
        break;
      case Member::Kind::other:
        refuse(member->name, "it is neither file, directory nor link");
    }
  }
  Extracted out;
  out.sha256 = archive.sha256();
  // A download that was cut before its first byte would else be an entry for ever.
  if (!any && archive.bytes_read() == 0) throw Error(ErrorKind::store_refused, "the archive is refused: it is empty");
  out.listing = writer.finish();
  return out;
}

// What a directory holds, copied by descriptors that follow no symlink.
class DirectorySource {
 public:
  DirectorySource(TreeWriter& writer, const std::filesystem::path& top)
      : writer_(writer), top_(top), buffer_(256 * 1024, '\0') {}

  void copy(int parent, const char* name, const std::string& path) {
    const Fd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct ::stat status {};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0) throw io_error("cannot read", top_ / path, errno);
    writer_.directory(path.empty() ? "." : path, {status.st_mode & 0777U, modified_ns(status)});
    std::vector<std::string> names = names_in(fd.get(), path);
    std::ranges::sort(names);
    for (const std::string& child : names) copy_child(fd.get(), child, joined(path, child));
  }

 private:
  std::vector<std::string> names_in(int directory, const std::string& path) {
    std::vector<std::string> names;
    Fd own(::fcntl(directory, F_DUPFD_CLOEXEC, 3));
    DIR* stream = own.valid() ? ::fdopendir(own.get()) : nullptr;
    if (stream == nullptr) throw io_error("cannot read", top_ / path, errno);
    (void)own.release();
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int failure = errno;
    ::closedir(stream);
    if (failure != 0) throw io_error("cannot read", top_ / path, failure);
    return names;
  }

  void copy_child(int parent, const std::string& name, const std::string& path) {
    struct ::stat status {};
    if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) throw io_error("cannot read", top_ / path, errno);
    const TreeWriter::Attributes attributes{status.st_mode & 0777U, modified_ns(status)};
    if (S_ISDIR(status.st_mode)) return copy(parent, name.c_str(), path);
    if (S_ISREG(status.st_mode)) return copy_file(parent, name, path, attributes);
    if (!S_ISLNK(status.st_mode)) refuse(path, "it is neither file, directory nor link");
    std::array<char, 4097> target{};
    const ssize_t size = ::readlinkat(parent, name.c_str(), target.data(), target.size());
    if (size < 0) throw io_error("cannot read", top_ / path, errno);
    writer_.symlink(path, std::string(target.data(), static_cast<std::size_t>(size)), attributes);
  }

  void copy_file(int parent, const std::string& name, const std::string& path, const TreeWriter::Attributes& attributes) {
    const Fd fd(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct ::stat status {};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0) throw io_error("cannot read", top_ / path, errno);
    if (!S_ISREG(status.st_mode)) refuse(path, "it is neither file, directory nor link");
    writer_.begin_file(path, attributes);
    std::uint64_t at = 0;
    while (true) {
      const ssize_t count = ::read(fd.get(), buffer_.data(), buffer_.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw io_error("cannot read", top_ / path, errno);
      if (count == 0) break;
      writer_.data(at, {buffer_.data(), static_cast<std::size_t>(count)});
      at += static_cast<std::uint64_t>(count);
    }
    writer_.end_file(at);
  }

  TreeWriter& writer_;
  const std::filesystem::path& top_;
  std::string buffer_;
};

Fd open_archive(const std::filesystem::path& file) {
  Fd fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid()) throw io_error("cannot read the archive", file, errno);
  struct ::stat status {};
  if (::fstat(fd.get(), &status) != 0) throw io_error("cannot read the archive", file, errno);
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorKind::io_error, "cannot read the archive " + printable(file.native()) + ": it is no regular file");
#ifdef __linux__
  (void)::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  return fd;
}

}  // namespace

Extracted extract(const std::filesystem::path& from, const std::filesystem::path& tree, const Limits& limits) {
  struct ::stat status {};
  if (::stat(from.c_str(), &status) != 0) throw io_error("cannot read the archive", from, errno);
  if (!S_ISDIR(status.st_mode)) {
    Archive archive(open_archive(from));
    return extract_archive(archive, tree, limits);
  }
  Limits without_ratio = limits;
  without_ratio.ratio = 0;
  TreeWriter writer(tree, without_ratio);
  const std::filesystem::path top = std::filesystem::canonical(from);
  DirectorySource(writer, top).copy(AT_FDCWD, top.c_str(), "");
  return {writer.finish(), std::nullopt};
}

std::string archive_sha256(const std::filesystem::path& archive) {
  const Fd fd = open_archive(archive);
  Sha256 sum;
  std::string buffer(256 * 1024, '\0');
  while (true) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error("cannot read the archive", archive, errno);
    if (count == 0) return sum.hex();
    sum.add({buffer.data(), static_cast<std::size_t>(count)});
  }
}

Extracted extract_bytes(std::string_view bytes, const std::filesystem::path& tree, const Limits& limits) {
  Archive archive(bytes);
  return extract_archive(archive, tree, limits);
}

}  // namespace wtpool::store
