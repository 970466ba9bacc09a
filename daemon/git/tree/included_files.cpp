#include "daemon/git/tree/included_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "common/files/files.hpp"
#include "common/platform/clone.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = ".worktreeinclude";
constexpr mode_t kMode = 0777;

std::vector<std::string> named_and_ignored(const Git& tree) {
  const fs::path file = fs::path(tree.place().work_tree) / kFile;
  const auto stat = lstat_of(file);
  if (!stat || !S_ISREG(stat->st_mode)) return {};
  Command named;
  named.arguments = {"ls-files", "-z", "-o", "-i", "-X", file.string()};
  named.directory = tree.place().work_tree;
  named.output_limit = kWholeTree;
  Command ignored;
  ignored.input = tree.must(named);
  if (ignored.input.empty()) return {};
  ignored.arguments = {"check-ignore", "-z", "--stdin"};
  ignored.directory = tree.place().work_tree;
  ignored.output_limit = kWholeTree;
  return split(tree.run(ignored).output, '\0');  // exit code 1: git ignores none of them
}

// A path that leads through directories alone, opened one by one; an invalid descriptor where anything else stands in the way.
Fd directory_of(const std::string& root, const fs::path& path, bool make) {
  Fd at(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (const fs::path& part : path.parent_path()) {
    if (!at.valid() || part == ".." || part == ".") return Fd();
    if (make) ::mkdirat(at.get(), part.c_str(), 0777);
    at = Fd(::openat(at.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  return at;
}

struct Source {
  Fd file;
  std::uint64_t bytes = 0;
  mode_t mode = 0;
};
Source open_source_file(const std::string& root, const fs::path& path) {
  const Fd directory = directory_of(root, path, false);
  if (!directory.valid()) return {};
  Fd file(::openat(directory.get(), path.filename().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct ::stat stat {};
  if (!file.valid() || ::fstat(file.get(), &stat) != 0 || !S_ISREG(stat.st_mode)) return {};
  return {std::move(file), static_cast<std::uint64_t>(stat.st_size), stat.st_mode & kMode};
}

}  // namespace

Included include_files(const Git& tree, const std::string& to, std::uint64_t limit) {
  Included included;
  if (limit == 0) return included;
  auto paths = named_and_ignored(tree);
  std::sort(paths.begin(), paths.end());
  for (const auto& name : paths) {
    const fs::path path(name);
    if (path.is_absolute()) continue;
    const auto source = open_source_file(tree.place().work_tree, path);
    if (!source.file.valid()) continue;
    if (included.bytes + source.bytes > limit) {
      ++included.left_out;
      included.left_out_bytes += source.bytes;
      continue;
    }
    const Fd directory = directory_of(to, path, true);
    if (!directory.valid()) continue;
    const Fd target(
        ::openat(directory.get(), path.filename().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, source.mode));
    if (!target.valid()) continue;
    if (!clone_file(source.file.get(), target.get())) {
      const int why = errno;
      ::unlinkat(directory.get(), path.filename().c_str(), 0);
      throw io_error("cannot copy", fs::path(tree.place().work_tree) / path, why);
    }
    ++included.files;
    included.bytes += source.bytes;
  }
  return included;
}

}  // namespace wtpool::git
