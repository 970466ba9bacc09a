// Options of the verbs that say what there is, and of the trash.
#include "client/cli/options_verbs.hpp"
#include "common/base/duration.hpp"

namespace wtpool::client::cli {

void add_report_verbs(CLI::App& app, Command& chosen) {
  auto [list, list_command] = add_verb<ListCommand>(app, chosen, "ls", "The slots");
  list->add_flag("--git-status", list_command->git_status, "Have git look for changes, too");
  list->add_flag("--watch", list_command->watch, "Stay, and show what changes; on a terminal");
  add_verb<WatchCommand>(app, chosen, "watch", "What happens to the slots, as a line of JSON each, until interrupted");
  auto [logs, logs_command] = add_verb<LogsCommand>(app, chosen, "logs", "What the daemon did, and for whom, from its log");
  LogsCommand* given = logs_command;
  logs->add_flag("-f,--follow", logs_command->follow, "Stay, and print what comes");
  logs->add_option("--slot", logs_command->slot, "What happened to this slot")->type_name("SLOT")->check(nothing);
  logs->add_option("--name", logs_command->name, "What happened to this lease")->type_name("NAME")->check(nothing);
  logs->add_option_function<std::string>(
          "--since", [given](const std::string& text) { given->since = parse_duration(text); }, "No longer ago than that")
      ->type_name("DUR")
      ->check(bad_duration);
  auto [inspect, inspect_command] = add_verb<InspectCommand>(app, chosen, "inspect", "All about one slot");
  inspect->add_option("NAME|SLOT", inspect_command->target, "Which")->required();
  auto [path, path_command] = add_verb<PathCommand>(app, chosen, "path", "Print the path of a held slot");
  path->add_option("NAME|SLOT", path_command->target, "Which")->required();
  add_verb<PoolsCommand>(app, chosen, "pools", "The pools of this host");
}

void add_trash_verbs(CLI::App& app, Command& chosen) {
  CLI::App* trash = app.add_subcommand("trash", "Work that a release kept");
  trash->require_subcommand(1);
  add_verb<TrashListCommand>(*trash, chosen, "ls", "What there is");
  auto [restore, restore_command] = add_verb<TrashRestoreCommand>(*trash, chosen, "restore", "Make a branch of an entry");
  restore->add_option("ID", restore_command->id, "Which")->required();
  restore->add_option("--branch", restore_command->branch, "What to call the branch");
  auto [drop, drop_command] = add_verb<TrashDropCommand>(*trash, chosen, "drop", "Delete an entry for good");
  drop->add_option("ID", drop_command->id, "Which")->required();
}

}  // namespace wtpool::client::cli
