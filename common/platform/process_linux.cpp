#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "common/files.hpp"
#include "common/names.hpp"
#include "common/platform/proc_linux.hpp"
#include "common/platform/process.hpp"

namespace wtpool::platform {
namespace {

using std::filesystem::path;

path proc_directory(std::int64_t pid) { return path("/proc") / std::to_string(pid); }

std::string read_or_nothing(const path& file) {
  try {
    return read_file(file, 4 * 1024 * 1024).value_or(std::string());
  } catch (const proto::Error&) {
    return {};  // not ours to read, or gone meanwhile
  }
}

std::string command_of(std::int64_t pid) {
  constexpr std::size_t kShown = 120;
  std::string command = read_or_nothing(proc_directory(pid) / "cmdline");
  while (!command.empty() && command.back() == '\0') command.pop_back();
  std::replace(command.begin(), command.end(), '\0', ' ');
  if (command.empty()) {
    command = read_or_nothing(proc_directory(pid) / "comm");
    while (!command.empty() && command.back() == '\n') command.pop_back();
  }
  if (command.size() > kShown) command.resize(kShown);
  return printable(command);
}

bool is_own_user(std::int64_t pid) {
  struct ::stat status {};
  return ::stat(proc_directory(pid).c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

// Where a process works; nothing for a thread of the kernel, one that has ended, or one that is not ours to look at.
std::optional<std::string_view> working_directory(std::int64_t pid, std::array<char, PATH_MAX>& buffer) {
  const std::string link = "/proc/" + std::to_string(pid) + "/cwd";
  const ssize_t length = ::readlink(link.c_str(), buffer.data(), buffer.size());
  if (length <= 0) return std::nullopt;
  return std::string_view(buffer.data(), static_cast<std::size_t>(length));
}

bool is_or_below(std::string_view place, std::string_view top) {
  return place.starts_with(top) && (place.size() == top.size() || place[top.size()] == '/' || top == "/");
}

}  // namespace

std::string boot_id() {
  std::string id = read_or_nothing("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::optional<ProcessStamp> stamp_of(std::int64_t pid) {
  const auto stat = proc_stat(pid);
  if (!stat || stat->ended()) return std::nullopt;
  return ProcessStamp{pid, stat->start, boot_id()};
}

Fd watch_exit(const ProcessStamp& stamp) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(stamp.pid), 0)));
  // Asked after the descriptor is had: it names whoever bore the pid then.
  if (fd.valid() && !alive(stamp)) fd.reset();
  return fd;
}

std::vector<ProcessUse> processes_with_environment(const std::string& entry) {
  return processes_with_environment_or_inside(entry, {});
}

std::vector<ProcessUse> processes_inside(const path& directory) { return processes_with_environment_or_inside({}, directory); }

// A release waits for this, and there may be many processes: whose a process is is asked last, of the few that match.
std::vector<ProcessUse> processes_with_environment_or_inside(const std::string& entry, const path& directory) {
  const std::string wanted = '\0' + entry + '\0';
  const std::string top = directory.empty() ? std::string() : real_path(directory).native();
  const pid_t self = ::getpid();
  std::array<char, PATH_MAX> buffer{};
  const auto matches = [&](std::int64_t pid) {
    const auto place = working_directory(pid, buffer);
    if (!place) return false;
    if (!top.empty() && is_or_below(*place, top)) return true;
    if (entry.empty()) return false;
    const std::string environment = read_or_nothing("/proc/" + std::to_string(pid) + "/environ") + '\0';
    return environment.starts_with(std::string_view(wanted).substr(1)) || environment.find(wanted) != std::string::npos;
  };
  std::vector<ProcessUse> found;
  for_each_process([&](std::int64_t pid) {
    if (pid != self && matches(pid) && is_own_user(pid)) found.push_back({pid, command_of(pid)});
    return true;
  });
  return found;
}

std::vector<std::int64_t> processes_of_group(std::int64_t group) {
  std::vector<std::int64_t> members;
  for_each_process([&](std::int64_t pid) {
    const auto stat = proc_stat(pid);
    if (stat && !stat->ended() && stat->group == group) members.push_back(pid);
    return true;
  });
  return members;
}

std::vector<std::int64_t> ancestors_of(std::int64_t pid) {
  std::vector<std::int64_t> line;
  // A pid may be reused while the line is walked; seeing one twice ends it.
  while (pid > 0 && std::find(line.begin(), line.end(), pid) == line.end()) {
    const auto stat = proc_stat(pid);
    if (!stat) break;
    line.push_back(pid);
    pid = stat->parent;
  }
  return line;
}

path own_executable() {
  std::error_code failure;
  return std::filesystem::read_symlink("/proc/self/exe", failure);
}

}  // namespace wtpool::platform
