// status, doctor, daemon, unstick, validate-gitmodules: this host rather than its slots.
#include <poll.h>
#include <signal.h>

#include <chrono>

#include "client/cli/render.hpp"
#include "client/daemon/local_check.hpp"
#include "client/daemon/start.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/process/run_child.hpp"

namespace wtpool::client {
namespace {

using namespace std::chrono_literals;
using proto::Error;
using proto::ErrorKind;

constexpr auto kStopLimit = 30s;
constexpr auto kDrainLimit = 25s;  // a daemon that is told to end has 20 s, if it hears it
constexpr auto kKilledLimit = 5s;
constexpr auto kCheckLimit = 10s;
constexpr std::string_view kSaidByDaemon = "wtpoold: ";

int report_status(const proto::StatusResult& status, Context& context) {
  return write_result(context, context.globals.json ? proto::to_json_text(status) + "\n" : render_status(status));
}

std::string process_text(const Opened& opened) {
  const auto pid = opened.connection.peer_pid();
  return (pid ? "process " + std::to_string(*pid) + ", " : std::string{}) + "at " + opened.socket.string();
}

void start(Context& context) {
  const Opened opened = open_daemon(context.globals, context.paths, Start::always);
  context.output.say((opened.started ? "started the daemon, " : "the daemon runs already, ") + process_text(opened));
}

// Did it let go of its lock in time?
bool ended(std::int64_t pid, const std::filesystem::path& instance_lock, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto running = running_instance(instance_lock);
    if (!running || running->pid != pid) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    ::poll(nullptr, 0, 20);
  }
}

// One that accepts connections, or does not even that, and says nothing: a kill costs it nothing that a next start does not
// bring back.
void end_silent(const Error& why, Context& context) {
  const auto running = running_instance(context.paths.instance_lock);
  const Endpoint endpoint = find_endpoint(context.globals, context.paths);
  if (!running || running->pid <= 1 || running->socket != endpoint.socket.string()) throw why;
  context.output.say("the daemon at " + running->socket + " does not answer: ending process " + std::to_string(running->pid));
  ::kill(static_cast<pid_t>(running->pid), SIGTERM);
  if (ended(running->pid, context.paths.instance_lock, kDrainLimit)) return;
  ::kill(static_cast<pid_t>(running->pid), SIGKILL);
  if (!ended(running->pid, context.paths.instance_lock, kKilledLimit)) throw why;
}

void stop(Context& context) {
  std::optional<Opened> opened;
  try {
    opened = open_running_daemon(context.globals, context.paths);
  } catch (const Error& error) {
    if (error.kind != ErrorKind::unreachable) throw;
    return end_silent(error, context);
  }
  if (!opened) {
    context.output.say("no daemon runs");
    return;
  }
  const auto end = std::chrono::steady_clock::now() + kStopLimit;
  const auto stopped = running_instance(context.paths.instance_lock);
  static_cast<void>(ask<proto::EmptyResult>(opened->connection, context, proto::HostShutdownParams{}, kStopLimit));
  bool gone =
      opened->connection.wait_for_close(std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()));
  if (gone && stopped)
    gone = ended(stopped->pid, context.paths.instance_lock,
                 std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()));
  if (!gone) {
    throw Error(ErrorKind::timed_out,
                "cannot see the daemon at " + opened->socket.string() + " end: it was told to, and still runs after 30 s");
  }
}

// What would keep the next daemon from starting is said while this one still serves.
void require_config_that_starts(Context& context) {
  SpawnOptions check;
  check.argv = {find_wtpoold().string(), "--check", "config"};
  check.environment = daemon_environment(own_environment(), find_endpoint(context.globals, context.paths), context.paths);
  check.deadline = kCheckLimit;
  const auto result = run_child(check);
  if (result.end != ChildEnd::exited || result.exit_code != 1) return;
  std::string why = result.error_tail.substr(0, result.error_tail.find('\n'));
  if (why.starts_with(kSaidByDaemon)) why.erase(0, kSaidByDaemon.size());
  throw Error(ErrorKind::bad_config, "cannot restart the daemon: it would not start again: " + why, "wtpool doctor");
}

}  // namespace

int run_command(const StatusCommand&, Context& context) {
  return report_status(ask<proto::StatusResult>(context, proto::HostStatusParams{}, kReportLimit), context);
}

int run_command(const DaemonCommand& command, Context& context) {
  using Action = DaemonCommand::Action;
  switch (command.action) {
    case Action::start:
      start(context);
      return 0;
    case Action::stop:
      stop(context);
      return 0;
    case Action::restart:
      require_config_that_starts(context);
      stop(context);
      start(context);
      return 0;
    case Action::status: {
      Opened opened = open_daemon(context.globals, context.paths, Start::never);
      return report_status(ask<proto::StatusResult>(opened.connection, context, proto::HostStatusParams{}, kReportLimit),
                           context);
    }
    case Action::socket: {
      const Endpoint endpoint = find_endpoint(context.globals, context.paths);
      check_socket_path(endpoint.socket);
      return write_result(context, endpoint.socket.string() + "\n");
    }
  }
  return 1;
}

int run_command(const DoctorCommand& command, Context& context) {
  std::optional<proto::DoctorResult> doctor;
  try {
    if (auto opened = open_running_daemon(context.globals, context.paths)) {
      doctor = ask<proto::DoctorResult>(opened->connection, context, proto::HostDoctorParams{command.repair}, kReportLimit);
    }
  } catch (const Error& error) {
    // What keeps us from the daemon is what a doctor is asked about: said, and the rest looked at without it.
    context.output.error(error);
  }
  if (!doctor) {
    std::vector<std::string> further;
    if (command.repair) further.emplace_back("--repair");
    become_check("doctor", context.globals, std::move(further));
  }
  const int failed = write_result(context, context.globals.json ? proto::to_json_text(*doctor) + "\n" : render_doctor(*doctor));
  return failed != 0 ? failed : doctor->ok ? 0 : 1;
}

int run_command(const UnstickCommand& command, Context& context) {
  std::vector<std::string> further;
  if (command.slot) further.insert(further.end(), {"--slot", *command.slot});
  if (const auto pool = context.scope().pool) further.insert(further.end(), {"--pool", *pool});
  become_check("unstick", context.globals, std::move(further));
}

int run_command(const ValidateGitmodulesCommand&, Context& context) {
  std::vector<std::string> further;
  if (context.globals.pool) further.insert(further.end(), {"--pool", *context.globals.pool});
  become_check("validate-gitmodules", context.globals, std::move(further));
}

}  // namespace wtpool::client
