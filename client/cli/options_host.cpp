// Options of the verbs about pools and the host.
#include <map>

#include "client/cli/options_verbs.hpp"

namespace wtpool::client::cli {
namespace {

void add_init(CLI::App& app, Command& chosen) {
  auto [verb, init] = add_verb<InitCommand>(app, chosen, "init", "Make a pool of a git repository; creates no slot");
  verb->add_option("--source", init->source, "The repository, bare or a working clone")->check(nothing);
  verb->add_option("PATH", init->path, "The same, without --source; a folder in it will do [.]")->check(nothing);
  verb->add_option("--max-slots", init->max_slots, "Slots, per group [16]")->check(CLI::Range(1, 10'000));
  verb->add_option("--groups", init->groups, "Names of groups of slots")->delimiter(',')->allow_extra_args(false);
  verb->add_option("--default-commit", init->default_commit, "Commit when acquire names none [origin/HEAD]")->check(nothing);
  CLI::Option* mode = verb->add_option("--submodule-mirror-mode", init->submodule_mirror_mode, "Where submodules come from");
  CLI::Option* base = verb->add_option("--submodule-mirror-base", init->submodule_mirror_base, "The directory they are in");
  mode->check(CLI::IsMember({"bare-mirror", "git-modules"}))->needs(base);
  base->check(nothing)->needs(mode);
}

void add_repairs(CLI::App& app, Command& chosen) {
  auto [repair, repair_command] = add_verb<RepairCommand>(app, chosen, "repair", "Take a slot out of quarantine");
  repair->add_option("SLOT", repair_command->slot, "Which")->required();
  repair->add_flag("--discard", repair_command->discard, "Drop what cannot be saved");
  auto [remove, remove_command] = add_verb<RemoveCommand>(app, chosen, "remove", "Take away a slot, or the pool of --pool");
  remove->add_option("SLOT", remove_command->slot, "Which");
  remove->add_flag("--discard", remove_command->discard, "Keep no ignored file, such as .env, in the trash");
  auto [unstick, unstick_command] = add_verb<UnstickCommand>(app, chosen, "unstick", "Who holds which lock");
  unstick->add_option("--slot", unstick_command->slot, "Only that of this slot");
  add_verb<ValidateGitmodulesCommand>(app, chosen, "validate-gitmodules", "Find misspelt worktreePool keys");
}

void add_host(CLI::App& app, Command& chosen) {
  add_verb<StatusCommand>(app, chosen, "status", "The daemon");
  auto [doctor, doctor_command] = add_verb<DoctorCommand>(app, chosen, "doctor", "Is this host all right?");
  doctor->add_flag("--repair", doctor_command->repair, "Put right what can be; says first what that is");
  auto [daemon, daemon_command] = add_verb<DaemonCommand>(app, chosen, "daemon", "Start or stop it by hand");
  DaemonCommand* given = daemon_command;
  static const std::map<std::string, DaemonCommand::Action> kActions = {{"start", DaemonCommand::Action::start},
                                                                        {"stop", DaemonCommand::Action::stop},
                                                                        {"restart", DaemonCommand::Action::restart},
                                                                        {"status", DaemonCommand::Action::status},
                                                                        {"socket", DaemonCommand::Action::socket}};
  const auto choose = [given](const std::string& action) { given->action = kActions.at(action); };
  daemon->add_option_function<std::string>("ACTION", choose, "socket prints its path")
      ->required()
      ->check(CLI::IsMember({"start", "stop", "restart", "status", "socket"}));
}

}  // namespace

void add_host_verbs(CLI::App& app, Command& chosen) {
  add_init(app, chosen);
  add_repairs(app, chosen);
  add_host(app, chosen);
}

}  // namespace wtpool::client::cli
