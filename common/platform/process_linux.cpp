#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
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

// 0, or why it cannot be read: errno.
int read_proc(std::int64_t pid, const char* name, std::string& text) {
  const Fd fd(::open((proc_directory(pid) / name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t count = ::read(fd.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
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

std::string boot_id() {
  std::string id = read_or_nothing("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::optional<ProcessStamp> stamp_of(std::int64_t pid) {
  const auto stat = proc_stat(pid);
  if (!stat || stat->ended()) return std::nullopt;
  const std::string boot = boot_id();
  if (boot.empty()) return std::nullopt;  // without it the stamp would name nobody
  return ProcessStamp{pid, stat->start, boot};
}

bool has_ended(const ProcessStamp& stamp) {
  const std::string boot = boot_id();
  if (!boot.empty() && boot != stamp.boot_id) return true;
  if (::kill(static_cast<pid_t>(stamp.pid), 0) != 0 && errno == ESRCH) return true;
  const auto stat = proc_stat(stamp.pid);
  return stat && (stat->ended() || stat->start != stamp.start);
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

std::optional<std::vector<ProcessAtWork>> processes_at_work(const std::string& program, const std::vector<path>& directories,
                                                            const std::string& thing) {
  std::array<char, PATH_MAX> buffer{};
  std::vector<ProcessAtWork> found;
  bool told = true;
  // What is not there any more, or not ours to read, is empty; what cannot be read for another reason cannot be told.
  const auto text_of = [&told](std::int64_t pid, const char* name) {
    std::string text;
    const int failure = read_proc(pid, name, text);
    told = told && (failure == 0 || failure == ENOENT || failure == ESRCH || failure == EACCES || failure == EPERM);
    return failure == 0 ? text : std::string();
  };
  const bool listed = for_each_process([&](std::int64_t pid) {
    if (text_of(pid, "comm") != program + '\n') return told;
    const auto stat = proc_stat(pid);
    if (stat && stat->ended()) return told;
    ProcessAtWork process;
    process.pid = pid;
    const std::string arguments = text_of(pid, "cmdline");
    const auto inside = working_directory(pid, buffer);
    const bool works_there = inside && std::any_of(directories.begin(), directories.end(),
                                                   [&](const path& each) { return is_or_below(*inside, each.native()); });
    if (!works_there && arguments.find(thing) == std::string::npos && text_of(pid, "environ").find(thing) == std::string::npos)
      return told;
    for (std::size_t begin = 0, end; (end = arguments.find('\0', begin)) != std::string::npos; begin = end + 1)
      process.arguments.push_back(arguments.substr(begin, end - begin));
    if (stat)
      process.started =
          booted_at() + static_cast<std::int64_t>(stat->start / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
    found.push_back(std::move(process));
    return told;
  });
  if (!listed || !told) return std::nullopt;
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

std::string program_of(std::int64_t pid) {
  std::string name = read_or_nothing(proc_directory(pid) / "comm");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

path own_executable() {
  std::error_code failure;
  return std::filesystem::read_symlink("/proc/self/exe", failure);
}

}  // namespace wtpool::platform
