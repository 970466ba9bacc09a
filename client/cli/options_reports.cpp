// Options of the verbs that say what there is, and of the trash.
#include "client/cli/options_verbs.hpp"

namespace wtpool::client::cli {

void add_report_verbs(CLI::App& app, Command& chosen) {
  auto [list, list_command] = add_verb<ListCommand>(app, chosen, "ls", "The slots");
  list->add_flag("--git-status", list_command->git_status, "Have git look for changes, too");
  list->add_flag("--watch", list_command->watch, "Stay, and show what changes; on a terminal");
  add_verb<WatchCommand>(app, chosen, "watch", "What happens to the slots, as a line of JSON each, until interrupted");
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
