// Options of the verbs that a shell's own files call.
#include "client/cli/options_verbs.hpp"

namespace wtpool::client::cli {

void add_shell_verbs(CLI::App& app, Command& chosen) {
  const auto shells = CLI::IsMember({"bash", "zsh", "fish"});
  auto [completion, completion_command] =
      add_verb<CompletionCommand>(app, chosen, "completion", "Print completions for a shell");
  completion->add_option("SHELL", completion_command->shell, "Which")->required()->check(shells);
  completion->footer(
      "bash: eval \"$(wtpool completion bash)\" in ~/.bashrc; zsh: the same in ~/.zshrc; fish: wtpool completion fish | "
      "source");
  auto [init, init_command] = add_verb<ShellInitCommand>(
      app, chosen, "shell-init", "Print a shell function `wt NAME` that acquires a slot and goes there");
  init->add_option("SHELL", init_command->shell, "Which")->required()->check(shells);
  add_verb<CompleteCommand>(app, chosen, "__complete", "For completions alone").first->group("");
}

}  // namespace wtpool::client::cli
