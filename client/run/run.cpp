// run: a command in a slot that is held as long as it lasts.
#include <unistd.h>

#include <cctype>

#include "client/daemon/start.hpp"
#include "client/run/in_slot.hpp"
#include "client/run/report.hpp"
#include "client/run/session.hpp"
#include "client/verbs/acquire_request.hpp"

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

int run_in_slot(const RunCommand& command, Context& context) {
  AcquireCommand wanted = command.acquire;
  wanted.name = name_of(command);
  proto::AcquireParams params = acquire_params(wanted, context);
  params.lease_kind = proto::LeaseKind::connection;
  params.ports = true;
  RunReport report(command, context);
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Interrupts signals(kRunSignals);
  const auto lease = acquire(opened.connection, params, context, signals);
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
  const Ended ended = running.wait(command.timeout);
  report.ended(ended.timed_out ? kRunTimedOut : ended.exit_code);
  const auto over = ended.lease_over ? ended.lease_over : release(holding, context);
  if (ended.timed_out) {
    context.output.say(line.argv.front() + " was ended: its time of --timeout was over");
    return kRunTimedOut;
  }
  if (!over) return ended.exit_code;
  context.output.say("cannot go on in " + lease.slot + ": " + *over + "; " + line.argv.front() + " was ended");
  return kRunFailed;
}

}  // namespace

int run_command(const RunCommand& command, Context& context) {
  try {
    return run_in_slot(command, context);
  } catch (const Error& error) {
    context.output.error(error);
  } catch (const std::exception& unexpected) {
    context.output.error({ErrorKind::internal, std::string("cannot go on: ") + unexpected.what()});
  }
  return kRunFailed;
}

}  // namespace wtpool::client
