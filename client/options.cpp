#include "client/options.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "common/names.hpp"
#include "proto/errors.hpp"

namespace wtpool::client {
namespace {

// What a verb's options are written into lives as long as the verb: its callback owns it.
template <class C>
std::pair<CLI::App*, C*> add_verb(CLI::App& app, Command& chosen, const std::string& name, const std::string& does) {
  auto command = std::make_shared<C>();
  CLI::App* verb = app.add_subcommand(name, does);
  verb->callback([&chosen, command] { chosen = *command; });
  return {verb, command.get()};
}

void add_init(CLI::App& app, Command& chosen) {
  auto [verb, init] = add_verb<InitCommand>(app, chosen, "init", "Make a pool of a git repository; creates no slot");
  verb->add_option("--source", init->source, "The repository, bare or a working clone")->required();
  verb->add_option("--max-slots", init->max_slots, "Slots, per group [16]")->check(CLI::Range(1, 10'000));
  verb->add_option("--groups", init->groups, "Names of groups of slots")->delimiter(',')->allow_extra_args(false);
  verb->add_option("--default-commit", init->default_commit, "Commit when acquire names none [origin/HEAD]");
  CLI::Option* mode = verb->add_option("--submodule-mirror-mode", init->submodule_mirror_mode, "Where submodules come from");
  CLI::Option* base = verb->add_option("--submodule-mirror-base", init->submodule_mirror_base, "The directory they are in");
  mode->check(CLI::IsMember({"bare-mirror", "git-modules"}))->needs(base);
  base->needs(mode);
}

void add_acquire(CLI::App& app, Command& chosen) {
  auto [verb, acquire] = add_verb<AcquireCommand>(app, chosen, "acquire", "Take a slot; prints its path");
  verb->add_option("NAME", acquire->name, "What this use is called, and its branch")->required();
  verb->add_option("--commit", acquire->commit, "What to check out");
  verb->add_option("--group", acquire->group, "The group of slots");
  verb->add_option("--key", acquire->key, "The same key gives the same lease back");
  verb->add_flag("--unique-sha", acquire->unique_sha, "Refuse when a held slot is at that commit");
  CLI::Option* resume = verb->add_flag("--resume", acquire->resume, "Go on with a branch that exists, at its tip");
  CLI::Option* replace = verb->add_flag("--replace", acquire->replace, "Make the branch anew; its tip goes to the trash");
  resume->excludes(replace);
}

void add_release(CLI::App& app, Command& chosen) {
  auto [verb, release] =
      add_verb<ReleaseCommand>(app, chosen, "release", "Give a slot back; without an argument, that of the current directory");
  ReleaseCommand* given = release;
  verb->add_option("NAME|SLOT", release->target, "Which");
  verb->add_option("--lease", release->lease, "Only if this lease holds it");
  CLI::Option* discard = verb->add_flag_callback(
      "--discard", [given] { given->dirty = proto::Dirty::discard; }, "Drop what is not committed");
  CLI::Option* refuse = verb->add_flag_callback(
      "--refuse-dirty", [given] { given->dirty = proto::Dirty::refuse; }, "Do nothing if there is such work (exit 11)");
  discard->excludes(refuse);
  verb->add_flag("--delete-remote", release->delete_remote, "Delete the branch at the remote as well");
  verb->add_flag("--wait", release->wait, "Wait until the slot is clean; says where work was kept");
}

void add_reports(CLI::App& app, Command& chosen) {
  auto [list, list_command] = add_verb<ListCommand>(app, chosen, "ls", "The slots");
  list->add_flag("--git-status", list_command->git_status, "Have git look for changes, too");
  auto [inspect, inspect_command] = add_verb<InspectCommand>(app, chosen, "inspect", "All about one slot");
  inspect->add_option("NAME|SLOT", inspect_command->target, "Which")->required();
  auto [path, path_command] = add_verb<PathCommand>(app, chosen, "path", "Print the path of a held slot");
  path->add_option("NAME|SLOT", path_command->target, "Which")->required();
  add_verb<PoolsCommand>(app, chosen, "pools", "The pools of this host");
}

void add_repairs(CLI::App& app, Command& chosen) {
  auto [repair, repair_command] = add_verb<RepairCommand>(app, chosen, "repair", "Take a slot out of quarantine");
  repair->add_option("SLOT", repair_command->slot, "Which")->required();
  repair->add_flag("--discard", repair_command->discard, "Drop what cannot be saved");
  auto [remove, remove_command] = add_verb<RemoveCommand>(app, chosen, "remove", "Take away a slot, or the pool of --pool");
  remove->add_option("SLOT", remove_command->slot, "Which");
  auto [unstick, unstick_command] = add_verb<UnstickCommand>(app, chosen, "unstick", "Who holds which lock");
  unstick->add_option("--slot", unstick_command->slot, "Only that of this slot");
  add_verb<ValidateGitmodulesCommand>(app, chosen, "validate-gitmodules", "Find misspelt worktreePool keys");
}

void add_host(CLI::App& app, Command& chosen) {
  add_verb<StatusCommand>(app, chosen, "status", "The daemon");
  add_verb<DoctorCommand>(app, chosen, "doctor", "Is this host all right?");
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

std::string exit_codes() {
  std::string text = "Exit codes:\n   0  done\n   1  any other failure\n   2  wrong usage\n";
  for (const proto::ErrorInfo& row : proto::error_table()) {
    if (row.code != row.exit_code || row.code < 3) continue;  // the kind that gave the exit code its meaning
    text += (row.code < 10 ? "   " : "  ") + std::to_string(row.code) + "  " + std::string(row.meaning) + "\n";
  }
  return text;
}

Told wrong_usage(const std::string& why, const std::string& verb) {
  std::string clause = why;
  while (!clause.empty() && (clause.back() == '\n' || clause.back() == '.')) clause.pop_back();
  return {kWrongUsage, "wtpool: cannot read the command line: " + printable(clause) + "\nhint: wtpool " + verb +
                           (verb.empty() ? "" : " ") + "--help\n"};
}

}  // namespace

std::variant<Parsed, Told> parse_options(std::span<const char* const> args) {
  Parsed parsed;
  CLI::App app("A pool of warm git worktrees", "wtpool");
  app.require_subcommand(1);
  app.fallthrough();  // inherited by the verbs: what they do not know is one of the options below
  app.footer(exit_codes);
  app.set_version_flag("--version", "wtpool " WTPOOL_VERSION);
  bool quiet = false;
  bool verbose = false;
  Globals& globals = parsed.globals;
  app.add_option("--pool", globals.pool, "The pool [$WTPOOL_POOL, else that of the current directory, else the only one]");
  app.add_option("--socket", globals.socket, "Where the daemon listens [$WTPOOL_SOCKET]");
  app.add_flag("--json", globals.json, "Reports as one line of JSON");
  CLI::Option* less = app.add_flag("-q,--quiet", quiet, "No warnings, no progress");
  app.add_flag("-v,--verbose", verbose, "Show what git says")->excludes(less);
  add_acquire(app, parsed.command);
  add_release(app, parsed.command);
  add_reports(app, parsed.command);
  add_init(app, parsed.command);
  add_repairs(app, parsed.command);
  add_host(app, parsed.command);

  const auto chosen_verb = [&app] {
    const auto verbs = app.get_subcommands();
    return verbs.empty() ? std::string{} : verbs.front()->get_name();
  };
  try {
    app.parse(static_cast<int>(args.size()), args.data());
  } catch (const CLI::CallForHelp&) {
    return Told{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return Told{0, app.version() + "\n"};
  } catch (const CLI::Error& wrong) {
    return wrong_usage(wrong.what(), chosen_verb());
  }
  globals.loudness = quiet ? Loudness::quiet : verbose ? Loudness::verbose : Loudness::normal;
  if (const auto* remove = std::get_if<RemoveCommand>(&parsed.command); remove && !remove->slot && !globals.pool) {
    return wrong_usage("remove takes a SLOT, or the pool to remove as --pool", "remove");
  }
  return parsed;
}

}  // namespace wtpool::client
