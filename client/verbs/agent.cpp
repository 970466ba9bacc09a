// agent: hooks for coding agents, and their place in an agent's settings.
#include "proto/codec/agent.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "client/daemon/start.hpp"
#include "client/run/hooks.hpp"
#include "client/verbs/acquire_request.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/process.hpp"
#include "common/process/run_child.hpp"

namespace wtpool::client {
namespace {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;

constexpr std::size_t kLongestRequest = std::size_t{1} << 20;
const proto::AgentHooks kHooks{"wtpool agent create", "wtpool agent remove"};

std::string read_stdin() {
  std::string text;
  char buffer[65536];
  while (text.size() < kLongestRequest) {
    const auto n = ::read(0, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

// Where the agent works, which need not be where its hook was started.
proto::Scope scope_at(const Context& context, const std::optional<std::string>& cwd) {
  auto scope = context.scope();
  if (cwd && cwd->starts_with('/')) scope.cwd = *cwd;
  return scope;
}

// The slot that is, or holds, the path, if somebody holds it.
std::optional<proto::LocateResult> held_at(Context& context, const std::string& path) {
  proto::LocateParams params;
  params.scope.cwd = real_path(path).string();
  const auto found = ask<proto::LocateResult>(context, params, kReportLimit);
  return found.where == "slot" && found.lease_id ? std::optional(found) : std::nullopt;
}

fs::path settings_file(bool user) {
  if (user) {
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') throw Error(ErrorKind::io_error, "cannot find the user's settings: HOME is not set");
    return fs::path(home) / ".claude" / "settings.json";
  }
  SpawnOptions top;
  top.argv = {"git", "rev-parse", "--show-toplevel"};
  top.environment = own_environment();
  const auto said = run_child(top);
  const auto directory = said.ok() ? fs::path(said.output.substr(0, said.output.find('\n'))) : fs::current_path();
  return directory / ".claude" / "settings.json";
}

// As diff(1) shows it; without that program the new text.
std::string difference(const fs::path& file, const std::string& text) {
  SpawnOptions diff;
  const bool there = fs::exists(file);
  diff.argv = {"diff", "-u", "--label", file.string(), "--label", file.string(), there ? file.string() : "/dev/null", "-"};
  diff.environment = own_environment();
  diff.input = text;
  try {
    return run_child(diff).output;
  } catch (const Error&) {
    return text;
  }
}

}  // namespace

int run_command(const AgentCreateCommand&, Context& context) {
  const auto asked = proto::read_agent_create(read_stdin());
  AcquireCommand command;
  command.name = proto::branch_for(asked.name);
  command.reuse = true;
  command.key = proto::agent_key(asked.session_id, asked.name);
  auto params = acquire_params(command, context);
  params.scope = scope_at(context, asked.cwd);
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Interrupts interrupts;
  const auto acquired = acquire(opened.connection, params, context, interrupts);
  run_acquire_hooks(opened.connection, acquired, opened.socket, context, interrupts);
  if (const int failed = write_result(context, acquired.path + "\n")) return failed;
  proto::ConfirmParams confirm;
  confirm.lease_id = acquired.lease_id;
  const auto confirmed = opened.connection.call(confirm, {context.output, interrupts, OnSignal::finish, kReportLimit});
  if (confirmed.error) throw *confirmed.error;
  return 0;
}

// The agent is done with it, whatever has become of it: what is no slot that it has is none of its business any more.
int run_command(const AgentRemoveCommand&, Context& context) {
  const auto asked = proto::read_agent_remove(read_stdin());
  if (!asked.worktree_path || !asked.worktree_path->starts_with('/')) {
    context.output.warn("nothing was released: the agent named no absolute worktree_path");
    return 0;
  }
  const auto held = held_at(context, *asked.worktree_path);
  if (!held || !held->key || !held->key->starts_with(proto::agent_key_prefix(asked.session_id))) return 0;
  proto::ReleaseParams params;
  params.scope.pool = held->pool;
  params.target.lease_id = held->lease_id;
  params.dirty = proto::Dirty::save;
  params.caller_pids = platform::ancestors_of(::getpid());
  const auto released = ask<proto::ReleaseResult>(context, params);
  if (released.trash_id) context.output.say("kept as " + *released.trash_id + " (wtpool trash restore makes a branch of it)");
  return 0;
}

int run_command(const AgentInstallCommand& command, Context& context) {
  const auto file = settings_file(command.user);
  const auto before = read_file(file).value_or("");
  const auto after = command.uninstall ? proto::settings_without(before, kHooks) : proto::settings_with(before, kHooks);
  const bool same = command.uninstall ? after == proto::settings_without(before, {"", ""}) || before.empty()
                                      : after == proto::settings_without(before, {"", ""}) && !before.empty();
  if (same) {
    context.output.say(file.string() + (command.uninstall ? " has no such hooks" : " has these hooks already"));
    return 0;
  }
  context.output.lines(difference(file, after));
  if (command.dry_run) return 0;
  make_directories(file.parent_path());
  if (!before.empty()) write_atomically(file.string() + ".wtpool-bak", before, 0644);
  write_atomically(file, after, 0644);
  return 0;
}

}  // namespace wtpool::client
