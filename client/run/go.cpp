// go: a session in a durable lease. It ends with the command; the lease is the daemon's to judge then.
#include <unistd.h>

#include <cstdlib>

#include "client/run/hooks.hpp"
#include "client/run/in_slot.hpp"
#include "client/run/session.hpp"
#include "client/verbs/acquire_request.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

constexpr const char* kSession = "WTPOOL_SESSION";  // in the environment of a session's shell

std::vector<std::string> shell_of(const std::optional<std::string>& session) {
  if (session && !session->empty()) return {"sh", "-c", *session};
  const char* shell = std::getenv("SHELL");
  return {shell != nullptr && *shell != '\0' ? shell : "/bin/sh"};
}

// A shell that nobody types into, or one within a session's own, was not meant.
std::optional<std::string> no_shell_here() {
  if (::isatty(0) == 0) return "without a command it starts a shell, and this is no terminal";
  if (const char* outer = std::getenv(kSession); outer != nullptr && *outer != '\0')
    return "this is a session's shell already: leave it first, or name a command";
  return std::nullopt;
}

int go_in_slot(const GoCommand& command, Context& context) {
  auto params = acquire_params(command.acquire, context);
  params.reuse = true;
  params.lease_kind = proto::LeaseKind::durable;
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Interrupts signals(kRunSignals);
  const auto lease = acquire(opened.connection, params, context, signals);
  const auto socket = opened.socket;
  if (command.acquire.hooks) {
    run_acquire_hooks(opened.connection, lease, socket, context, signals);
    run_hooks(hooks_of(opened.connection, lease, context, signals), "pre_go", lease, socket, context, signals);
  }
  Holding holding(std::move(opened), lease, context, signals);
  const auto session = holding.attach(command.keep);

  CommandLine line{command.command.empty() ? shell_of(session) : command.command, environment_in_slot(lease, socket),
                   lease.path};
  std::erase_if(line.environment, [](const std::string& entry) { return entry.starts_with(std::string(kSession) + "="); });
  line.environment.push_back(std::string(kSession) + "=" + lease.lease_id);
  Child child(line, signals);
  Running running(child, holding, signals);
  if (const auto cannot = running.let_go()) {
    child.finish(kGrace, [] { return false; });
    return say_cannot_run(*cannot, line, context);
  }
  return running.wait().exit_code;
}

}  // namespace

int run_command(const GoCommand& command, Context& context) {
  try {
    if (command.command.empty()) {
      if (const auto why = no_shell_here()) {
        context.output.error({ErrorKind::invalid_params, "cannot go: " + *why, "wtpool go NAME -- CMD"});
        return kWrongUsage;
      }
    }
    return go_in_slot(command, context);
  } catch (const Error& error) {
    context.output.error(error);
    const int code = proto::info(error.kind).exit_code;
    if (code > 2) context.output.say("acquire would have ended with exit code " + std::to_string(code));
  } catch (const std::exception& unexpected) {
    context.output.error({ErrorKind::internal, std::string("cannot go on: ") + unexpected.what()});
  }
  return kRunFailed;
}

}  // namespace wtpool::client
