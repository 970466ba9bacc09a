// run: a command in a slot that is held as long as it lasts.
#include <poll.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <string_view>

#include "client/daemon/start.hpp"
#include "client/run/hooks.hpp"
#include "client/run/in_slot.hpp"
#include "client/run/report.hpp"
#include "client/run/session.hpp"
#include "client/verbs/acquire_request.hpp"
#include "client/verbs/ask.hpp"
#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/platform/process.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

// Why the lease was over before, if it was.
std::optional<std::string> release(Holding& holding, Context& context) {
  try {
    return holding.release();
  } catch (const Error& error) {
    context.output.error(error);
  } catch (const Interrupted&) {
    context.output.end_wait();  // the connection ends with us, and the lease with the connection
  }
  return std::nullopt;
}

// A lease without a name of the user's: the program, and the process that asks, which no other lease that lives is named after.
std::string name_of(const RunCommand& command) {
  if (!command.acquire.name.empty()) return command.acquire.name;
  std::string program;
  for (const char c : std::filesystem::path(command.command.front()).filename().string()) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '+';
    if (program.size() < 60) program += plain && static_cast<unsigned char>(c) < 128 ? c : '-';
  }
  return "run/" + program + "-" + std::to_string(::getpid());
}

// What is done with the slot when the command has ended with 0; its exit code from then on.
using Afterwards = std::function<int(Holding&, const proto::AcquireResult&)>;

int run_in_slot(const RunCommand& command, proto::AcquireParams params, Context& context, const Afterwards& afterwards = {}) {
  params.lease_kind = proto::LeaseKind::connection;
  params.ports = true;
  RunReport report(command, context);
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Interrupts signals(kRunSignals);
  const auto lease = acquire(opened.connection, params, context, signals);
  if (command.acquire.hooks) run_acquire_hooks(opened.connection, lease, opened.socket, context, signals);
  report.acquired(lease);

  const CommandLine line{command.command, environment_in_slot(lease, opened.socket), lease.path};
  Child child(line, signals);
  Holding holding(std::move(opened), lease, context, signals);
  holding.confirm(child.group());
  Running running(child, holding, signals);
  if (const auto cannot = running.let_go()) {
    child.finish(kGrace, [] { return false; });
    const int code = say_cannot_run(*cannot, line, context);
    static_cast<void>(release(holding, context));
    return code;
  }
  Ended ended = running.wait(command.timeout);
  report.ended(ended.timed_out ? kRunTimedOut : ended.exit_code);
  if (afterwards && !ended.lease_over && !ended.timed_out && ended.exit_code == 0) ended.exit_code = afterwards(holding, lease);
  const auto over = ended.lease_over ? ended.lease_over : release(holding, context);
  if (ended.timed_out) {
    context.output.say(line.argv.front() + " was ended: its time of --timeout was over");
    return kRunTimedOut;
  }
  if (!over) return ended.exit_code;
  context.output.say("cannot go on in " + lease.slot + ": " + *over + "; " + line.argv.front() + " was ended");
  return kRunFailed;
}

// Whatever failed: all other codes are the command's.
int guarded(Context& context, const std::function<int()>& work) {
  try {
    return work();
  } catch (const Error& error) {
    context.output.error(error);
  } catch (const std::exception& unexpected) {
    context.output.error({ErrorKind::internal, std::string("cannot go on: ") + unexpected.what()});
  }
  return kRunFailed;
}

bool waits(const PrepareCommand& command, std::chrono::steady_clock::time_point since) {
  if (!command.wait) return false;
  return command.wait->count() == 0 || std::chrono::steady_clock::now() - since < *command.wait;
}

// Processes that the command left in the slot are waited for as long as it was asked for.
int freeze(const PrepareCommand& command, Context& context, Holding& holding, const proto::AcquireResult& lease) {
  proto::TemplateMakeParams params;
  params.scope.pool = lease.pool;
  params.lease_id = lease.lease_id;
  params.caller_pids = platform::ancestors_of(::getpid());
  const auto since = std::chrono::steady_clock::now();
  while (true) {
    try {
      holding.freeze(params);
      return 0;
    } catch (const Error& error) {
      if (error.kind != ErrorKind::contended || !waits(command, since)) {
        context.output.error(error);
        return kRunFailed;
      }
    }
    struct pollfd nothing = {-1, 0, 0};
    ::poll(&nothing, 1, static_cast<int>(kTryAgain.count()));
  }
}

int prepare_idle(const PrepareCommand& command, Context& context) {
  proto::TemplateMakeParams params;
  params.scope = context.scope();
  params.slot = command.slot;
  params.commit = command.commit;
  params.group = command.group;
  params.caller_pids = platform::ancestors_of(::getpid());
  static_cast<void>(ask<proto::TemplateInfo>(context, params));
  return 0;
}

int prepare(const PrepareCommand& command, Context& context) {
  if (command.command.empty()) return prepare_idle(command, context);
  AcquireCommand take;
  take.name = "wtpool-prepare-" + random_hex(8);
  take.commit = command.commit;
  take.group = command.group;
  take.wait = command.wait;
  proto::AcquireParams params = acquire_params(take, context);
  params.slot = command.slot;
  params.prepares = true;
  RunCommand run;
  run.command = command.command;
  return run_in_slot(run, std::move(params), context, [&](Holding& holding, const proto::AcquireResult& lease) {
    return freeze(command, context, holding, lease);
  });
}

}  // namespace

int run_command(const RunCommand& command, Context& context) {
  return guarded(context, [&] {
    AcquireCommand wanted = command.acquire;
    wanted.name = name_of(command);
    return run_in_slot(command, acquire_params(wanted, context), context);
  });
}

int run_command(const PrepareCommand& command, Context& context) {
  return guarded(context, [&] { return prepare(command, context); });
}

}  // namespace wtpool::client
