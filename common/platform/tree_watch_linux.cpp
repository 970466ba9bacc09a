#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>

#include "common/files/files.hpp"
#include "common/platform/tree_watch.hpp"

namespace wtpool::platform {
namespace {

constexpr std::uint32_t kTold = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
                                IN_MOVE_SELF | IN_OPEN | IN_CLOSE_WRITE;

std::size_t number_in(const char* file) {
  try {
    const std::string text = read_file(file).value_or("0");
    std::size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  } catch (const proto::Error&) {
    return 0;
  }
}

// The host's limit, and that of the user namespace, which may be lower.
std::size_t lower_limit(const char* of_host, const char* of_namespace) {
  const std::size_t host = number_in(of_host);
  const std::size_t own = number_in(of_namespace);
  return own == 0 ? host : std::min(host, own);
}

TreeWatch::Kind kind_of(std::uint32_t mask) {
  if ((mask & IN_Q_OVERFLOW) != 0) return TreeWatch::Kind::overflow;
  return (mask & IN_OPEN) != 0 ? TreeWatch::Kind::opened : TreeWatch::Kind::other;
}

int pending_bytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : INT_MAX;
}

}  // namespace

WatchLimits watch_limits() {
  return {lower_limit("/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches"),
          lower_limit("/proc/sys/fs/inotify/max_user_instances", "/proc/sys/user/max_inotify_instances")};
}

std::optional<TreeWatch> TreeWatch::make() {
  Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  return TreeWatch(std::move(fd));
}

int TreeWatch::add(const std::filesystem::path& directory) {
  return ::inotify_add_watch(fd_.get(), directory.c_str(), kTold | IN_ONLYDIR | IN_DONT_FOLLOW);
}

std::vector<TreeWatch::Event> TreeWatch::drain() {
  std::vector<Event> events;
  // Only what is there now: somebody who never stops must not keep us.
  for (int left = pending_bytes(fd_.get()); left > 0;) {
    alignas(inotify_event) std::array<char, 65536> buffer;
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      events.push_back({-1, Kind::overflow, {}});  // what cannot be read is lost as well
      break;
    }
    left -= static_cast<int>(got);
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, &buffer[at], sizeof event);
      at += sizeof event;
      // The name is padded with zeros to `len`.
      events.push_back({event.wd, kind_of(event.mask), event.len > 0 ? std::string(&buffer[at]) : std::string()});
      at += event.len;
    }
  }
  return events;
}

bool TreeWatch::quiet() const { return pending_bytes(fd_.get()) == 0; }

}  // namespace wtpool::platform
