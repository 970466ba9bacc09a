#include "daemon/store/tree_check.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>

#include "common/files/files.hpp"
#include "daemon/store/names.hpp"
#include "daemon/store/sums.hpp"

namespace wtpool::store {
namespace {

class Comparison {
 public:
  Comparison(const Listing& listing, Compare how) : listing_(listing), how_(how), buffer_(256 * 1024, '\0') {}

  // `name` in `parent` is to be the node at `path`.
  bool same(int parent, const char* name, const std::string& path) {
    const Node* node = listing_.find(path);
    if (node == nullptr) return unlike(path);
    struct ::stat status {};
    if (::fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return unlike(path);
    switch (node->kind) {
      case NodeKind::symlink:
        return S_ISLNK(status.st_mode) ? same_target(parent, name, *node) : unlike(path);
      case NodeKind::file:
        return S_ISREG(status.st_mode) ? same_file(parent, name, *node, status) : unlike(path);
      case NodeKind::directory:
        return S_ISDIR(status.st_mode) ? same_directory(parent, name, *node, status) : unlike(path);
    }
    return false;
  }

  [[nodiscard]] const std::optional<std::string>& found() const { return found_; }

 private:
  bool unlike(const std::string& path) {
    if (!found_) found_ = path;
    return false;
  }

  [[nodiscard]] bool same_mode(const Node& node, const struct ::stat& status) const {
    const unsigned mode = status.st_mode & 07777U;
    return mode == (how_ == Compare::frozen ? node.mode : node.mode | 0200U);
  }

  bool same_target(int parent, const char* name, const Node& node) {
    std::array<char, 4097> target{};
    const ssize_t size = ::readlinkat(parent, name, target.data(), target.size());
    if (size < 0 || xxh3({target.data(), static_cast<std::size_t>(size)}) != node.sum) return unlike(node.path);
    return true;
  }

  bool same_file(int parent, const char* name, const Node& node, const struct ::stat& status) {
    if (static_cast<std::uint64_t>(status.st_size) != node.size || !same_mode(node, status)) return unlike(node.path);
    if (how_ == Compare::frozen && modified_ns(status) != node.mtime_ns) return unlike(node.path);
    const Fd fd(::openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd.valid()) return unlike(node.path);
    sum_.start();
    while (true) {
      const ssize_t count = ::read(fd.get(), buffer_.data(), buffer_.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return unlike(node.path);
      if (count == 0) break;
      sum_.add({buffer_.data(), static_cast<std::size_t>(count)});
    }
    return sum_.value() == node.sum || unlike(node.path);
  }

  bool same_directory(int parent, const char* name, const Node& node, const struct ::stat& status) {
    if (!same_mode(node, status)) return unlike(node.path);
    const Fd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) return unlike(node.path);
    std::set<std::string> expected = children(node.path);
    for (const std::string& child : names_in(fd.get())) {
      const std::string path = joined(node.path, child);
      if (expected.erase(child) == 0) return unlike(path);
      if (!same(fd.get(), child.c_str(), path)) return false;
    }
    return expected.empty() || unlike(joined(node.path, *expected.begin()));
  }

  [[nodiscard]] std::set<std::string> children(const std::string& directory) const {
    std::set<std::string> names;
    const Node* node = listing_.find(directory);
    for (const Node* each = node + 1; each != listing_.nodes.data() + listing_.nodes.size(); ++each) {
      if (!is_at_or_below(each->path, directory)) break;
      const std::string rest = directory.empty() ? each->path : each->path.substr(directory.size() + 1);
      if (rest.find('/') == std::string::npos) names.insert(rest);
    }
    return names;
  }

  static std::set<std::string> names_in(int directory) {
    std::set<std::string> names;
    Fd own(::fcntl(directory, F_DUPFD_CLOEXEC, 3));
    DIR* stream = own.valid() ? ::fdopendir(own.get()) : nullptr;
    if (stream == nullptr) return names;
    (void)own.release();
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace(name);
    }
    ::closedir(stream);
    return names;
  }

  const Listing& listing_;
  Compare how_;
  std::string buffer_;
  Xxh3 sum_;
  std::optional<std::string> found_;
};

}  // namespace

std::optional<std::string> first_unlike(const std::filesystem::path& tree, const Listing& listing, const std::string& top,
                                        Compare how) {
  Comparison comparison(listing, how);
  (void)comparison.same(AT_FDCWD, tree.c_str(), top);
  return comparison.found();
}

}  // namespace wtpool::store
