// hooks: what would run, running it by hand, approving it and taking that back.
#include "client/run/hooks.hpp"

#include <unistd.h>

#include <cstdio>

#include "client/cli/render.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/base/names.hpp"
#include "proto/codec/client_json.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

proto::HooksResult hooks_here(Context& context, const std::optional<std::string>& target = std::nullopt) {
  proto::HooksGetParams params;
  params.scope = target ? context.scope_of(*target) : context.scope();
  if (target) params.target = target_of(*target);
  return ask<proto::HooksResult>(context, params, kReportLimit);
}

// Line by line, each of them made printable: what a terminal would take for an order is shown as what it is.
std::string shown(const std::string& bytes) {
  std::string text;
  for (std::size_t start = 0; start < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', start), bytes.size());
    text += "    " + printable(bytes.substr(start, end - start)) + "\n";
    start = end + 1;
  }
  if (!bytes.empty() && !bytes.ends_with('\n')) text += "    (no newline at the end)\n";
  return text;
}

std::string question_of(const proto::HooksResult& hooks, const Trust& trust) {
  std::string text = printable(hooks.source) + " wants to run at " + hooks.commit + ":\n";
  for (const auto& hook : hooks.hooks) {
    if (hook.from != "repository") continue;
    text += "  " + hook.event + ": " + printable(hook.command) + "\n";
  }
  const auto approval = approval_of(hooks);
  for (const auto& file : approval.files) {
    const bool known = trust.knows(hooks.source, file);
    text += printable(file.path) + (known ? ": as approved before\n" : ":\n" + shown(file.bytes));
  }
  return text;
}

bool says_yes() {
  char buffer[64];
  const auto n = ::read(0, buffer, sizeof buffer);
  return n > 0 && (buffer[0] == 'y' || buffer[0] == 'Y');
}

void refuse_what_cannot_be_approved(const proto::HooksResult& hooks) {
  if (hooks.problem) throw Error(ErrorKind::bad_config, "cannot approve the hooks of the repository: " + *hooks.problem);
  for (const auto& hook : hooks.hooks) {
    if (hook.problem)
      throw Error(ErrorKind::bad_config,
                  "cannot approve " + hook.event + " (" + printable(hook.command) + "): " + *hook.problem);
  }
}

}  // namespace

int run_command(const HooksListCommand&, Context& context) {
  const auto hooks = hooks_here(context);
  const bool covered = Trust(context.paths.state_dir).covers(approval_of(hooks));
  std::vector<proto::HookRow> rows;
  std::vector<std::vector<std::string>> table{{"EVENT", "FROM", "MAY RUN", "COMMAND"}};
  for (const auto& hook : hooks.hooks) {
    const bool may = may_run(hook, covered);
    rows.push_back({hook.event, hook.from, hook.command, may});
    table.push_back({hook.event, hook.from, may ? "yes" : "no", printable(hook.command)});
    if (hook.problem)
      context.output.warn(hook.event + " (" + printable(hook.command) + ") cannot be approved: " + *hook.problem);
  }
  if (hooks.problem) context.output.warn("hooks of the repository are left out: " + *hooks.problem);
  return write_result(context, context.globals.json ? proto::to_json_text(rows) + "\n" : render_table(table));
}

int run_command(const HooksRunCommand& command, Context& context) {
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  const auto hooks = hooks_here(context, command.target);
  if (!hooks.held)
    throw Error(ErrorKind::not_held, "cannot run hooks: this is no slot that is held", "wtpool hooks run EVENT NAME");
  const bool covered = Trust(context.paths.state_dir).covers(approval_of(hooks));
  if (hooks.problem) throw Error(ErrorKind::hook_failed, "cannot run the hooks of the repository: " + *hooks.problem);
  for (const auto& hook : hooks.hooks) {
    if (hook.event == command.event && !may_run(hook, covered))
      throw Error(ErrorKind::hook_failed, "cannot run " + hook.event + " (" + printable(hook.command) + "): it is not approved",
                  "wtpool hooks trust");
  }
  Interrupts interrupts;
  run_hooks(hooks, command.event, lease_of(*hooks.held), opened.socket, context, interrupts);
  return 0;
}

int run_command(const HooksTrustCommand& command, Context& context) {
  const auto hooks = hooks_here(context);
  const Trust trust(context.paths.state_dir);
  refuse_what_cannot_be_approved(hooks);
  if (trust.covers(approval_of(hooks))) {
    context.output.say(hooks.files.empty() ? "the repository has no hooks at " + hooks.commit
                                           : "its hooks are approved already");
    return 0;
  }
  context.output.lines(question_of(hooks, trust));
  if (!command.yes) {
    if (::isatty(0) == 0) {
      context.output.error(
          {ErrorKind::invalid_params, "cannot ask whether to approve this: stdin is no terminal", "wtpool hooks trust --yes"});
      return 2;
    }
    context.output.lines("Approve it? [y/N] ");
    if (!says_yes()) {
      context.output.say("nothing was approved");
      return 1;
    }
  }
  trust.add(approval_of(hooks));
  return 0;
}

int run_command(const HooksRevokeCommand&, Context& context) {
  const int revoked = Trust(context.paths.state_dir).revoke(hooks_here(context).source);
  context.output.say(revoked == 0 ? "nothing was approved" : "forgot what was approved: " + std::to_string(revoked));
  return 0;
}

}  // namespace wtpool::client
