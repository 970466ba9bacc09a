// Options of the verbs of who works in a slot himself.
#include "client/cli/options_verbs.hpp"
#include "common/base/duration.hpp"

namespace wtpool::client::cli {
namespace {

// As a duration; of nothing no unit is asked for.
std::string bad_age(const std::string& text) { return text == "0" ? std::string{} : bad_duration(text); }

void add_go(CLI::App& app, Command& chosen) {
  auto [verb, go] = add_verb<GoCommand>(app, chosen, "go", "Work in a slot: a shell in it, or wtpool go NAME ... -- CMD ...");
  add_name(verb, &go->acquire)->required();
  add_acquire_flags(verb, &go->acquire);
  verb->add_flag("--keep", go->keep, "The lease stays when the session has ended, finished or not");
  verb->footer(
      "NAME is taken, or gone on with (--reuse). When the last session has ended and all its work is in the target, the slot\n"
      "is released; else it stays, and wtpool go NAME goes on with it. The exit code is CMD's own, as with run.");
}

void add_sweep(CLI::App& app, Command& chosen) {
  auto [verb, sweep] = add_verb<SweepCommand>(app, chosen, "sweep", "Release the leases whose work is finished");
  verb->add_option("NAME|SLOT", sweep->names, "Which [all]; one that is kept is exit code 1");
  const auto set = [sweep = sweep](const std::string& text) {
    sweep->min_age = text == "0" ? std::chrono::seconds(0) : std::chrono::ceil<std::chrono::seconds>(*parse_duration(text));
  };
  verb->add_option_function<std::string>("--min-age", set, "How long a lease without commits is kept [1d]")
      ->type_name("DUR")
      ->check(bad_age);
  verb->add_flag("--dry-run", sweep->dry_run, "Say what would be done, and do nothing");
}

void add_agent_installer(CLI::App& agent, Command& chosen, bool uninstall) {
  auto [verb, install] =
      uninstall ? add_verb<AgentInstallCommand>(agent, chosen, "uninstall", "Take those hooks out of its settings")
                : add_verb<AgentInstallCommand>(agent, chosen, "install", "Have an agent take its worktrees from the pool");
  install->uninstall = uninstall;
  verb->add_option("AGENT", install->agent, "claude")->required()->check(CLI::IsMember({"claude"}));
  verb->add_flag("--user", install->user, "In the user's settings, for all projects [this project's]");
  verb->add_flag("--dry-run", install->dry_run, "Show the difference, and write nothing");
}

void add_agent(CLI::App& app, Command& chosen) {
  CLI::App* agent = app.add_subcommand("agent", "For coding agents: their worktrees come from the pool");
  agent->require_subcommand(1);
  add_verb<AgentCreateCommand>(*agent, chosen, "create", "A hook: reads the agent's JSON, takes a slot, prints its path");
  add_verb<AgentRemoveCommand>(*agent, chosen, "remove", "A hook: reads the agent's JSON, releases the slot, work saved");
  add_agent_installer(*agent, chosen, false);
  add_agent_installer(*agent, chosen, true);
  add_verb<McpCommand>(app, chosen, "mcp", "A server of the Model Context Protocol on stdin and stdout");
}

void add_hooks(CLI::App& app, Command& chosen) {
  CLI::App* hooks = app.add_subcommand("hooks", "Commands of the pool and of the repository that run around a lease");
  hooks->require_subcommand(1);
  add_verb<HooksListCommand>(*hooks, chosen, "ls", "What would run, in this slot or at the default commit, and whether it may");
  auto [run, run_command] = add_verb<HooksRunCommand>(*hooks, chosen, "run", "Run those of an event in a slot that is held");
  run->add_option("EVENT", run_command->event, "post_acquire, pre_go or pre_release")
      ->required()
      ->check(CLI::IsMember({"post_acquire", "pre_go", "pre_release"}));
  run->add_option("NAME|SLOT", run_command->target, "Which [that of the current directory]");
  auto [trust, trust_command] =
      add_verb<HooksTrustCommand>(*hooks, chosen, "trust", "Show what the repository wants to run, and approve it");
  trust->add_flag("--yes", trust_command->yes, "Approve it without being asked");
  trust->footer("What is approved is every byte that was shown: another text is another question.");
  add_verb<HooksRevokeCommand>(*hooks, chosen, "revoke", "Forget what was approved of this repository");
}

}  // namespace

void add_session_verbs(CLI::App& app, Command& chosen) {
  add_go(app, chosen);
  add_sweep(app, chosen);
  add_hooks(app, chosen);
  add_agent(app, chosen);
  auto [diff, diff_command] =
      add_verb<DiffCommand>(app, chosen, "diff", "What a slot's work changes: git diff from where its branch left the target");
  diff->add_option("NAME|SLOT", diff_command->target, "Which [that of the current directory]");
  diff->footer("What follows -- is given to git diff, as in wtpool diff NAME -- --stat");
  add_verb<WhoamiCommand>(app, chosen, "whoami", "Is this directory a slot, a pool's source, or none; always exit code 0");
  add_verb<OrientCommand>(app, chosen, "orient", "Where an agent stands: the top directory, then AGENTS.md or CLAUDE.md");
}

}  // namespace wtpool::client::cli
