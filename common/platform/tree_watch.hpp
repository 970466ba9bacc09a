// What happens below the directories of a tree, as the system tells it. Linux: one inotify instance each. macOS has nothing
// that tells of a file opened, so there is no watch there and whoever would want one must look for himself.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/files/fd.hpp"

namespace wtpool::platform {

// What this user may have of watches, all programs together; zero where there are none.
struct WatchLimits {
  std::size_t watches = 0;    // directories
  std::size_t instances = 0;  // TreeWatches
};
[[nodiscard]] WatchLimits watch_limits();

// One thread at a time. Giving one back costs the system some 10 ms, however little it watches.
class TreeWatch {
 public:
  enum class Kind { opened, other, overflow };
  struct Event {
    int directory = -1;  // what `add` gave
    Kind kind = Kind::other;
    std::string name;  // in that directory; empty for the directory itself
  };

  // Nothing where the system has no watches, or gives no more of them (errno says which).
  [[nodiscard]] static std::optional<TreeWatch> make();

  // A directory, never through a symlink at its end. From then on is told of what is in it: modified, attributes, created,
  // deleted, moved, opened, closed after being open for writing; and of the directory itself.
  // Negative: errno says why (ENOSPC: no more watches; ENOTDIR, ENOENT, ELOOP: no directory any more).
  int add(const std::filesystem::path& directory);
  // All that has happened until now, in order; of identical neighbours only one is told. An overflow is an event, too.
  [[nodiscard]] std::vector<Event> drain();
  // Has nothing at all happened since the last drain?
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] int fd() const { return fd_.get(); }  // readable when something happened

 private:
  explicit TreeWatch(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace wtpool::platform
