// run: a command in a slot that is held as long as it lasts.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "client/daemon/start.hpp"
#include "client/run/session.hpp"
#include "client/verbs/acquire_request.hpp"
#include "common/base/names.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

// What git tells a hook of the repository that it was called in: git in the slot would go on in that one. Of what
// `git rev-parse --local-env-vars` names, the user's own settings (GIT_CONFIG_COUNT and the like) stay.
constexpr std::array<std::string_view, 14> kOfAnotherRepository = {"GIT_DIR",
                                                                   "GIT_WORK_TREE",
                                                                   "GIT_INDEX_FILE",
                                                                   "GIT_OBJECT_DIRECTORY",
                                                                   "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                                                   "GIT_COMMON_DIR",
                                                                   "GIT_PREFIX",
                                                                   "GIT_IMPLICIT_WORK_TREE",
                                                                   "GIT_GRAFT_FILE",
                                                                   "GIT_SHALLOW_FILE",
                                                                   "GIT_INTERNAL_SUPER_PREFIX",
                                                                   "GIT_QUARANTINE_PATH",
                                                                   "GIT_NAMESPACE",
                                                                   "GIT_CONFIG"};

// The caller's environment, without what an outer `run` said of its own lease, and git of its repository.
std::vector<std::string> environment_of(const proto::AcquireResult& lease, const std::filesystem::path& socket) {
  const std::vector<std::pair<std::string, std::optional<std::string>>> own = {
      {"WTPOOL_POOL", lease.pool},
      {"WTPOOL_SLOT", lease.slot},
      {"WTPOOL_PATH", lease.path},
      {"WTPOOL_NAME", lease.name},
      {"WTPOOL_LEASE", lease.lease_id},
      {"WTPOOL_SOCKET", socket.string()},
      {"WTPOOL_FRESH", lease.fresh ? "1" : "0"},
      {"WTPOOL_PORT_BASE", lease.port_base ? std::optional(std::to_string(*lease.port_base)) : std::nullopt}};
  std::vector<std::string> environment = own_environment();
  std::erase_if(environment, [&own](const std::string& entry) {
    const std::string_view key = std::string_view(entry).substr(0, entry.find('='));
    return std::ranges::find(kOfAnotherRepository, key) != kOfAnotherRepository.end() ||
           std::ranges::any_of(own, [key](const auto& variable) { return variable.first == key; });
  });
  for (const auto& [key, value] : own) {
    if (value) environment.push_back(key + "=" + *value);
  }
  return environment;
}

int say_cannot_run(const CannotRun& cannot, const CommandLine& line, Context& context) {
  const bool entered = cannot.what == CannotRun::What::run;
  context.output.say((entered ? "cannot run " + line.argv.front() : "cannot enter " + line.directory.string()) + ": " +
                     std::strerror(cannot.error_number));
  if (!entered) return kRunFailed;
  return cannot.error_number == ENOENT ? 127 : 126;
}

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

int run_in_slot(const RunCommand& command, Context& context) {
  proto::AcquireParams params = acquire_params(command.acquire, context);
  params.lease_kind = proto::LeaseKind::connection;
  params.ports = true;
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Interrupts signals(kRunSignals);
  restore_first(opened.connection, command.acquire, context, signals);
  const auto lease = acquire(opened.connection, params, context, signals);

  const CommandLine line{command.command, environment_of(lease, opened.socket), lease.path};
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
  const Ended ended = running.wait();
  const auto over = ended.lease_over ? ended.lease_over : release(holding, context);
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
