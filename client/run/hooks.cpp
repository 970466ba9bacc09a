#include "client/run/hooks.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>

#include "client/run/child.hpp"
#include "client/run/in_slot.hpp"
#include "client/run/session.hpp"
#include "client/verbs/ask.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::client {
namespace {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;
using std::chrono::steady_clock;

constexpr int kLookMilliseconds = 20;
constexpr std::size_t kLongestProgram = std::size_t{1} << 20;
// stdout is the verb's result, and nobody types into a hook.
constexpr const char* kApart = "exec \"$@\" >&2 </dev/null";

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string bytes_of(const proto::HookFile& file) {
  std::string bytes;
  bytes.reserve(file.hex.size() / 2);
  for (std::size_t i = 0; i + 1 < file.hex.size(); i += 2) {
    const int high = digit(file.hex[i]);
    const int low = digit(file.hex[i + 1]);
    if (high < 0 || low < 0) break;
    bytes += static_cast<char>(high * 16 + low);
  }
  if (2 * bytes.size() != file.hex.size())
    throw Error(ErrorKind::invalid_request, "the daemon's answer is not understood: the bytes of " + file.path + " are no hex");
  return bytes;
}

[[noreturn]] void failed(const proto::HookInfo& hook, const std::string& why) {
  throw Error(ErrorKind::hook_failed, "hook " + hook.event + " (" + printable(hook.command) + ") " + why);
}

// The file that would run is the one that was approved, and is reached through directories alone.
void compare_programs(const proto::HooksResult& hooks, const proto::HookInfo& hook, const fs::path& slot) {
  for (const auto& program : hook.programs) {
    const auto covered = std::ranges::find(hooks.files, program, &proto::HookFile::path);
    const auto file = slot / program;
    std::error_code none;
    const bool direct = fs::canonical(file, none) == fs::canonical(slot, none) / fs::path(program);
    if (covered == hooks.files.end() || none || !direct || read_file(file, kLongestProgram) != bytes_of(*covered))
      failed(hook, "was not run: " + file.string() + " is not as the commit has it, which is what was approved");
  }
}

std::vector<std::string> environment_of(const proto::HookInfo& hook, const proto::AcquireResult& lease,
                                        const fs::path& socket) {
  auto environment = environment_in_slot(lease, socket);
  environment.push_back("WTPOOL_HOOK=" + hook.event);
  if (hook.shell != "bash") return environment;
  environment.push_back("WT_KEY=" + lease.pool);
  environment.push_back("WT_NAME=" + lease.name);
  environment.push_back("WT_PATH=" + lease.path);
  environment.push_back(std::string("WT_FRESH=") + (lease.fresh ? "1" : "0"));
  return environment;
}

void run_one(const proto::HookInfo& hook, std::chrono::seconds limit, const proto::AcquireResult& lease, const fs::path& socket,
             Interrupts& interrupts) {
  CommandLine line;
  line.argv = {"sh", "-c", kApart, "sh", hook.shell, "-c", hook.command};
  line.environment = environment_of(hook, lease, socket);
  line.directory = lease.path;
  Child child(line, interrupts);
  if (const auto cannot = child.let_go()) {
    static_cast<void>(child.finish(kGrace, [] { return false; }));
    failed(hook, std::string("cannot run: ") + std::strerror(cannot->error_number));
  }
  const auto until = steady_clock::now() + limit;
  bool late = false;
  bool ended = false;
  int signal = 0;
  while (!ended && !late && signal == 0) {
    while (const auto change = child.change()) ended = ended || change->kind == Child::Change::Kind::ended;
    if (ended) break;
    struct pollfd ready = {interrupts.descriptor(), POLLIN, 0};
    ::poll(&ready, 1, kLookMilliseconds);
    for (const int came : interrupts.take())
      if (came == SIGINT || came == SIGTERM || came == SIGHUP || came == SIGQUIT) signal = came;
    late = steady_clock::now() >= until;
  }
  const int code = child.finish(kGrace, [] { return false; });
  if (signal != 0) throw Interrupted{signal};
  if (!ended) failed(hook, "was ended: it took longer than hook_timeout, " + std::to_string(limit.count()) + " s");
  if (code != 0) failed(hook, "ended with exit code " + std::to_string(code));
}

}  // namespace

proto::HooksResult hooks_of(Connection& connection, const proto::AcquireResult& lease, Context& context,
                            Interrupts& interrupts) {
  proto::HooksGetParams params;
  params.scope.pool = lease.pool;
  params.target.lease_id = lease.lease_id;
  return result_of<proto::HooksResult>(connection.call(params, {context.output, interrupts, OnSignal::cancel, kReportLimit}),
                                       context, interrupts);
}

Approval approval_of(const proto::HooksResult& hooks) {
  Approval approval{hooks.source, {}};
  for (const auto& file : hooks.files) approval.files.push_back({file.path, bytes_of(file)});
  return approval;
}

bool may_run(const proto::HookInfo& hook, bool covered) { return hook.from == "pool" || (covered && !hook.problem); }

void run_hooks(const proto::HooksResult& hooks, const std::string& event, const proto::AcquireResult& lease,
               const fs::path& socket, Context& context, Interrupts& interrupts) {
  const bool covered = Trust(context.paths.state_dir).covers(approval_of(hooks));
  std::size_t left_out = 0;
  for (const auto& hook : hooks.hooks) {
    if (hook.event != event) continue;
    if (!may_run(hook, covered)) {
      ++left_out;
      continue;
    }
    if (hook.from == "repository") compare_programs(hooks, hook, lease.path);
    run_one(hook, std::chrono::seconds(hooks.timeout_seconds), lease, socket, interrupts);
  }
  if (hooks.problem) context.output.warn("hooks of the repository are left out: " + *hooks.problem);
  if (left_out == 0) return;
  context.output.warn(event + " of the repository is left out, since it is not approved (cd " + proto::shell_word(lease.path) +
                      " && wtpool hooks trust)");
}

void run_acquire_hooks(Connection& connection, const proto::AcquireResult& lease, const fs::path& socket, Context& context,
                       Interrupts& interrupts) {
  if (!lease.hooks.value_or(false)) return;
  run_hooks(hooks_of(connection, lease, context, interrupts), "post_acquire", lease, socket, context, interrupts);
}

proto::AcquireResult lease_of(const proto::SlotInfo& slot) {
  proto::AcquireResult lease;
  lease.pool = slot.pool;
  lease.slot = slot.slot;
  lease.path = slot.path;
  lease.name = slot.name.value_or("");
  lease.branch = slot.branch.value_or("");
  lease.full_sha = slot.full_sha.value_or("");
  if (slot.lease) lease.lease_id = slot.lease->id;
  return lease;
}

}  // namespace wtpool::client
