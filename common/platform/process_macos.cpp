#include <fcntl.h>
#include <libproc.h>
#include <mach-o/dyld.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"

namespace wtpool::platform {
namespace {

using std::filesystem::path;

std::optional<kinfo_proc> kernel_record(std::int64_t pid) {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(pid)};
  kinfo_proc record{};
  std::size_t size = sizeof record;
  if (pid <= 0 || ::sysctl(name, 4, &record, &size, nullptr, 0) != 0 || size == 0) return std::nullopt;
  return record;
}

// Microseconds since the epoch.
std::uint64_t started_at(const kinfo_proc& record) {
  const timeval start = record.kp_proc.p_starttime;
  return static_cast<std::uint64_t>(start.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(start.tv_usec);
}

// Arguments and environment as the kernel keeps them: a count, the program's path, then strings that end in NUL.
std::string arguments_of(std::int64_t pid) {
  int name[] = {CTL_KERN, KERN_PROCARGS2, static_cast<int>(pid)};
  std::size_t size = 0;
  if (::sysctl(name, 3, nullptr, &size, nullptr, 0) != 0 || size == 0) return {};
  std::string text(size, '\0');
  if (::sysctl(name, 3, text.data(), &size, nullptr, 0) != 0) return {};
  text.resize(size);
  return text;
}

template <class Matches>
std::vector<ProcessUse> processes_where(const Matches& matches) {
  const int bytes = ::proc_listpids(PROC_UID_ONLY, ::geteuid(), nullptr, 0);
  if (bytes <= 0) return {};
  std::vector<pid_t> pids(static_cast<std::size_t>(bytes) / sizeof(pid_t) + 64);
  const int filled = ::proc_listpids(PROC_UID_ONLY, ::geteuid(), pids.data(), static_cast<int>(pids.size() * sizeof(pid_t)));
  pids.resize(filled > 0 ? static_cast<std::size_t>(filled) / sizeof(pid_t) : 0);
  std::vector<ProcessUse> found;
  for (const pid_t pid : pids)
    if (pid > 0 && pid != ::getpid() && matches(pid)) found.push_back({pid, command_of(pid)});
  return found;
}

}  // namespace

std::string command_of(std::int64_t pid) {
  char text[PROC_PIDPATHINFO_MAXSIZE] = {};
  if (::proc_pidpath(static_cast<int>(pid), text, sizeof text) <= 0) return {};
  return printable(text);
}

std::string boot_id() {
  char text[64] = {};
  std::size_t size = sizeof text - 1;
  if (::sysctlbyname("kern.bootsessionuuid", text, &size, nullptr, 0) != 0) return {};
  return text;
}

std::optional<ProcessStamp> stamp_of(std::int64_t pid) {
  const auto record = kernel_record(pid);
  if (!record || record->kp_proc.p_stat == SZOMB) return std::nullopt;
  const std::string boot = boot_id();
  if (boot.empty()) return std::nullopt;  // without it the stamp would name nobody
  return ProcessStamp{pid, started_at(*record), boot};
}

bool has_ended(const ProcessStamp& stamp) {
  const std::string boot = boot_id();
  if (!boot.empty() && boot != stamp.boot_id) return true;
  if (::kill(static_cast<pid_t>(stamp.pid), 0) != 0 && errno == ESRCH) return true;
  const auto record = kernel_record(stamp.pid);
  return record && (record->kp_proc.p_stat == SZOMB || started_at(*record) != stamp.start);
}

Fd watch_exit(const ProcessStamp& stamp) {
  Fd queue(::kqueue());
  if (!queue.valid()) return {};
  ::fcntl(queue.get(), F_SETFD, FD_CLOEXEC);
  struct kevent change {};
  EV_SET(&change, static_cast<uintptr_t>(stamp.pid), EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, nullptr);
  if (::kevent(queue.get(), &change, 1, nullptr, 0, nullptr) != 0 || !alive(stamp)) return {};
  return queue;
}

std::vector<ProcessUse> processes_with_environment(const std::string& entry) {
  if (entry.empty()) return {};
  const std::string wanted = '\0' + entry + '\0';
  return processes_where([&](pid_t pid) { return arguments_of(pid).find(wanted) != std::string::npos; });
}

std::vector<ProcessUse> processes_inside(const path& directory) {
  if (directory.empty()) return {};
  const std::string top = real_path(directory).native();
  return processes_where([&](pid_t pid) {
    proc_vnodepathinfo info{};
    if (::proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, &info, sizeof info) <= 0) return false;
    const std::string cwd = info.pvi_cdir.vip_path;
    return cwd.starts_with(top) && (cwd.size() == top.size() || cwd[top.size()] == '/' || top == "/");
  });
}

std::vector<ProcessUse> processes_with_environment_or_inside(const std::string& entry, const path& directory) {
  auto found = processes_with_environment(entry);
  for (auto& inside : processes_inside(directory)) {
    if (std::none_of(found.begin(), found.end(), [&](const auto& p) { return p.pid == inside.pid; }))
      found.push_back(std::move(inside));
  }
  return found;
}

std::optional<std::vector<ProcessAtWork>> processes_at_work(const std::string& program, const std::vector<path>& directories,
                                                            const std::string& thing) {
  std::vector<ProcessAtWork> found;
  const auto candidates = processes_where([&](pid_t pid) {
    char name[PROC_PIDPATHINFO_MAXSIZE] = {};
    if (::proc_name(static_cast<int>(pid), name, sizeof name) <= 0 || name != program) return false;
    proc_vnodepathinfo info{};
    const bool has_cwd = ::proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, &info, sizeof info) > 0;
    const std::string cwd = has_cwd ? info.pvi_cdir.vip_path : "";
    const auto is_or_above = [&](const path& each) {
      const std::string& top = each.native();
      return cwd.starts_with(top) && (cwd.size() == top.size() || cwd[top.size()] == '/' || top == "/");
    };
    return std::any_of(directories.begin(), directories.end(), is_or_above) ||
           arguments_of(pid).find(thing) != std::string::npos;
  });
  for (const auto& candidate : candidates) {
    ProcessAtWork process;
    process.pid = candidate.pid;
    if (const auto record = kernel_record(candidate.pid))
      process.started = static_cast<std::int64_t>(record->kp_proc.p_starttime.tv_sec);
    const std::string text = arguments_of(candidate.pid);
    int count = 0;
    if (text.size() > sizeof count) {
      std::memcpy(&count, text.data(), sizeof count);
      // After the count stand the program's path, NULs, and then that many arguments.
      std::size_t at = text.find_first_not_of('\0', std::min(text.find('\0', sizeof count), text.size()));
      for (std::size_t end; count > 0 && at < text.size() && (end = text.find('\0', at)) != std::string::npos;
           at = end + 1, --count)
        process.arguments.push_back(text.substr(at, end - at));
    }
    found.push_back(std::move(process));
  }
  return found;
}

std::vector<std::int64_t> processes_of_group(std::int64_t group) {
  std::vector<std::int64_t> members;
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PGRP, static_cast<int>(group)};
  std::size_t size = 0;
  if (group <= 0 || ::sysctl(name, 4, nullptr, &size, nullptr, 0) != 0 || size == 0) return members;
  std::vector<kinfo_proc> records(size / sizeof(kinfo_proc) + 16);
  size = records.size() * sizeof(kinfo_proc);
  if (::sysctl(name, 4, records.data(), &size, nullptr, 0) != 0) return members;
  records.resize(size / sizeof(kinfo_proc));
  for (const auto& record : records) {
    if (record.kp_proc.p_stat != SZOMB) members.push_back(record.kp_proc.p_pid);
  }
  return members;
}

std::vector<std::int64_t> ancestors_of(std::int64_t pid) {
  std::vector<std::int64_t> line;
  while (pid > 0 && std::find(line.begin(), line.end(), pid) == line.end()) {
    const auto record = kernel_record(pid);
    if (!record) break;
    line.push_back(pid);
    pid = record->kp_eproc.e_ppid;
  }
  return line;
}

std::string program_of(std::int64_t pid) {
  const auto record = kernel_record(pid);
  return record ? std::string(record->kp_proc.p_comm) : std::string{};
}

path own_executable() {
  std::uint32_t size = 0;
  ::_NSGetExecutablePath(nullptr, &size);
  std::string text(size, '\0');
  if (::_NSGetExecutablePath(text.data(), &size) != 0) return {};
  return real_path(text.c_str());
}

}  // namespace wtpool::platform
