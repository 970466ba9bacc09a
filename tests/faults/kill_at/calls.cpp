#include "tests/faults/kill_at/calls.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace wtpool::test {
namespace {

namespace fs = std::filesystem;

enum class Names { descriptor, path, path_at };  // what the first argument, or the first two, say

struct Call {
  long number;
  const char* name;
  Names names;
};

constexpr Call kCalls[] = {
    {SYS_write, "write", Names::descriptor},
    {SYS_pwrite64, "pwrite", Names::descriptor},
    {SYS_writev, "writev", Names::descriptor},
    {SYS_sendmsg, "sendmsg", Names::descriptor},
    {SYS_sendto, "sendto", Names::descriptor},
    {SYS_fsync, "fsync", Names::descriptor},
    {SYS_fdatasync, "fdatasync", Names::descriptor},
    {SYS_sync_file_range, "sync_file_range", Names::descriptor},
    {SYS_ftruncate, "ftruncate", Names::descriptor},
    {SYS_fchmod, "fchmod", Names::descriptor},
    {SYS_openat, "openat", Names::path_at},
    {SYS_renameat, "renameat", Names::path_at},
    {SYS_renameat2, "renameat2", Names::path_at},
    {SYS_unlinkat, "unlinkat", Names::path_at},
    {SYS_mkdirat, "mkdirat", Names::path_at},
    {SYS_linkat, "linkat", Names::path_at},
    {SYS_symlinkat, "symlinkat", Names::path},
    {SYS_fchmodat, "fchmodat", Names::path_at},
    {SYS_utimensat, "utimensat", Names::path_at},
#ifdef SYS_open  // an older machine's names beside the *at ones
    {SYS_open, "open", Names::path},
    {SYS_creat, "creat", Names::path},
    {SYS_rename, "rename", Names::path},
    {SYS_unlink, "unlink", Names::path},
    {SYS_rmdir, "rmdir", Names::path},
    {SYS_mkdir, "mkdir", Names::path},
    {SYS_link, "link", Names::path},
    {SYS_symlink, "symlink", Names::path},
    {SYS_chmod, "chmod", Names::path},
    {SYS_utime, "utime", Names::path},
#endif
};

const Call* call_of(std::uint64_t number) {
  for (const Call& call : kCalls)
    if (static_cast<std::uint64_t>(call.number) == number) return &call;
  return nullptr;
}

bool opens(long number) {
#ifdef SYS_open
  if (number == SYS_open) return true;
#endif
  return number == SYS_openat;
}

std::uint32_t flags_argument(long number) { return number == SYS_openat ? 2 : 1; }

std::string link_of(pid_t thread, std::uint64_t descriptor) {
  std::error_code failed;
  const auto target = fs::read_symlink("/proc/" + std::to_string(thread) + "/fd/" + std::to_string(descriptor), failed);
  return failed ? std::string("?") : target.string();
}

std::string text_at(pid_t thread, std::uint64_t address) {
  std::array<char, 512> bytes{};
  iovec here{bytes.data(), bytes.size() - 1};
  // Up to the end of the page first, since what is behind it may not be there.
  iovec there{reinterpret_cast<void*>(address), std::min<std::size_t>(bytes.size() - 1, 4096 - address % 4096)};
  here.iov_len = there.iov_len;
  if (::process_vm_readv(thread, &here, 1, &there, 1, 0) <= 0) return "?";
  return bytes.data();
}

}  // namespace

void stop_at_calls_that_change() {
  std::vector<sock_filter> program;
  const auto statement = [&](std::uint16_t code, std::uint32_t value) { program.push_back(BPF_STMT(code, value)); };
  const auto jump = [&](std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no));
  };
  for (const Call& call : kCalls) {
    statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    if (opens(call.number)) {
      jump(static_cast<std::uint32_t>(call.number), 0, 3);
      statement(BPF_LD | BPF_W | BPF_ABS,
                static_cast<std::uint32_t>(offsetof(seccomp_data, args)) + 8 * flags_argument(call.number));
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC, 0, 1));
    } else {
      jump(static_cast<std::uint32_t>(call.number), 0, 1);
    }
    statement(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  }
  statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    std::perror("seccomp");
    ::_exit(125);
  }
}

std::optional<std::string> describe_call(pid_t thread, bool is_daemon) {
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) return std::nullopt;
  const Call* call = call_of(info.seccomp.nr);
  if (call == nullptr) return std::nullopt;
  const auto& arguments = info.seccomp.args;
  std::string text = std::string(call->name) + " ";
  switch (call->names) {
    case Names::descriptor: {
      const std::string target = link_of(thread, arguments[0]);
      const bool streams = arguments[0] <= 2 && !target.starts_with("pipe:");
      const bool log = is_daemon && target.find("/wtpoold.log") != std::string::npos;
      if (streams || log || target.starts_with("anon_inode:")) return std::nullopt;
      return text + target;
    }
    case Names::path:
      return text + text_at(thread, arguments[call->number == SYS_symlinkat ? 2 : 0]);
    case Names::path_at:
      return text + text_at(thread, arguments[1]);
  }
  return text;
}

std::string program_of(pid_t process) {
  std::ifstream stream("/proc/" + std::to_string(process) + "/cmdline", std::ios::binary);
  std::string program, word;
  for (bool value = false; std::getline(stream, word, '\0'); value = word == "-c") {
    if (program.empty())
      program = fs::path(word).filename().string();
    else if (!value && !word.starts_with("-"))
      return program + " " + word;  // git's command
  }
  return program;
}

std::vector<pid_t> tracees_of(pid_t tracer) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    pid_t process = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), process).ec != std::errc{}) continue;
    std::ifstream status(entry.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("TracerPid:")) continue;
      if (std::atoi(line.c_str() + 10) == tracer) found.push_back(process);
      break;
    }
  }
  return found;
}

}  // namespace wtpool::test
