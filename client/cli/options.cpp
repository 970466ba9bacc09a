#include "client/cli/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "common/base/duration.hpp"
#include "common/base/names.hpp"
#include "proto/errors.hpp"

namespace wtpool::client {
namespace {

constexpr std::string_view kForever = "forever";

// What a verb's options are written into lives as long as the verb: its callback owns it.
template <class C>
std::pair<CLI::App*, C*> add_verb(CLI::App& app, Command& chosen, const std::string& name, const std::string& does) {
  auto command = std::make_shared<C>();
  CLI::App* verb = app.add_subcommand(name, does);
  verb->callback([&chosen, command] { chosen = *command; });
  return {verb, command.get()};
}

std::string nothing(const std::string& text) { return text.empty() ? "nothing is named by it" : std::string{}; }

void add_init(CLI::App& app, Command& chosen) {
  auto [verb, init] = add_verb<InitCommand>(app, chosen, "init", "Make a pool of a git repository; creates no slot");
  verb->add_option("--source", init->source, "The repository, bare or a working clone")->required()->check(nothing);
  verb->add_option("--max-slots", init->max_slots, "Slots, per group [16]")->check(CLI::Range(1, 10'000));
  verb->add_option("--groups", init->groups, "Names of groups of slots")->delimiter(',')->allow_extra_args(false);
  verb->add_option("--default-commit", init->default_commit, "Commit when acquire names none [origin/HEAD]")->check(nothing);
  CLI::Option* mode = verb->add_option("--submodule-mirror-mode", init->submodule_mirror_mode, "Where submodules come from");
  CLI::Option* base = verb->add_option("--submodule-mirror-base", init->submodule_mirror_base, "The directory they are in");
  mode->check(CLI::IsMember({"bare-mirror", "git-modules"}))->needs(base);
  base->check(nothing)->needs(mode);
}

std::string bad_duration(const std::string& text) {
  return parse_duration(text) ? std::string{} : "'" + text + "' is no time: a number with ms, s, m, h or d, such as 10m";
}

std::string bad_ttl(const std::string& text) {
  const auto ttl = parse_duration(text);
  return ttl && ttl->count() == 0 ? "a lease lasts longer than nothing" : bad_duration(text);
}

void add_ttl(CLI::App& verb, std::optional<std::chrono::seconds>& ttl, const std::string& does) {
  const auto set = [&ttl](const std::string& text) { ttl = std::chrono::ceil<std::chrono::seconds>(*parse_duration(text)); };
  verb.add_option_function<std::string>("--ttl", set, does)->type_name("DUR")->check(bad_ttl);
}

void add_acquire_flags(CLI::App* verb, AcquireCommand* acquire) {
  verb->add_option("NAME", acquire->name, "What this use is called, and its branch")->required();
  verb->add_option("--commit", acquire->commit, "What to check out")->check([](const std::string& text) {
    return text.empty() ? std::string("no commit is named by nothing") : std::string{};
  });
  verb->add_option("--group", acquire->group, "The group of slots");
  verb->add_option("--key", acquire->key, "The same key gives the same lease back");
  verb->add_flag("--verify", acquire->verify, "Have git look at the slot's files though it is sealed");
  verb->add_flag("--unique-sha", acquire->unique_sha, "Refuse when a held slot is at that commit");
  verb->add_option("--exclude-submodule-tags", acquire->exclude_submodule_tags, "Leave submodules with one of these tags out")
      ->type_name("TAG,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  CLI::Option* resume = verb->add_flag("--resume", acquire->resume, "Go on with a branch that exists, at its tip");
  CLI::Option* replace = verb->add_flag("--replace", acquire->replace, "Make the branch anew; its tip goes to the trash");
  resume->excludes(replace);
  // A flag, whose value comes with `=` or not at all: `--wait NAME` is no time to wait.
  auto said = std::make_shared<std::string>();
  verb->add_flag("--wait{" + std::string(kForever) + "}", *said, "Queue for a slot, for DUR at most [without an end]")
      ->type_name("[=DUR]")
      ->check([](const std::string& text) { return text == kForever ? std::string{} : bad_duration(text); })
      ->each([acquire, said](const std::string& text) {
        acquire->wait = text == kForever ? std::chrono::milliseconds(0) : parse_duration(text);
        // not to queue is what an acquire does by itself
        if (text != kForever && acquire->wait->count() == 0) acquire->wait.reset();
      });
  add_ttl(*verb, acquire->ttl, "The lease ends after that [the pool's ttl]");
}

void add_acquire(CLI::App& app, Command& chosen) {
  auto [verb, acquire] = add_verb<AcquireCommand>(app, chosen, "acquire", "Take a slot; prints its path");
  add_acquire_flags(verb, acquire);
  verb->add_option("--owner-pid", acquire->owner_pid, "The lease ends when this process does")
      ->type_name("PID")
      ->check(CLI::Range(2, std::numeric_limits<std::int32_t>::max()));
}

void add_run(CLI::App& app, Command& chosen) {
  auto [verb, run] = add_verb<RunCommand>(app, chosen, "run", "Run a command in a slot: wtpool run NAME ... -- CMD ...");
  add_acquire_flags(verb, &run->acquire);
  verb->footer(
      "CMD runs in the slot, with WTPOOL_POOL, WTPOOL_SLOT, WTPOOL_PATH, WTPOOL_NAME, WTPOOL_LEASE, WTPOOL_SOCKET,\n"
      "WTPOOL_FRESH and WTPOOL_PORT_BASE in its environment. The exit code is CMD's own, 128+n when signal n ended it,\n"
      "126 or 127 when it cannot be run or found, 125 when wtpool itself failed.");
}

void add_renew(CLI::App& app, Command& chosen) {
  auto [verb, renew] = add_verb<RenewCommand>(app, chosen, "renew", "The time of a lease starts again");
  verb->add_option("NAME|SLOT", renew->target, "Which")->required();
  add_ttl(*verb, renew->ttl, "The time it has from now on [as before]");
}

void add_trash(CLI::App& app, Command& chosen) {
  CLI::App* trash = app.add_subcommand("trash", "Work that a release kept");
  trash->require_subcommand(1);
  add_verb<TrashListCommand>(*trash, chosen, "ls", "What there is");
  auto [restore, restore_command] = add_verb<TrashRestoreCommand>(*trash, chosen, "restore", "Make a branch of an entry");
  restore->add_option("ID", restore_command->id, "Which")->required();
  restore->add_option("--branch", restore_command->branch, "What to call the branch");
  auto [drop, drop_command] = add_verb<TrashDropCommand>(*trash, chosen, "drop", "Delete an entry for good");
  drop->add_option("ID", drop_command->id, "Which")->required();
}

void add_release(CLI::App& app, Command& chosen) {
  auto [verb, release] =
      add_verb<ReleaseCommand>(app, chosen, "release", "Give a slot back; without an argument, that of the current directory");
  ReleaseCommand* given = release;
  verb->add_option("NAME|SLOT", release->target, "Which");
  verb->add_option("--lease", release->lease, "Only if this lease holds it")->check(nothing);
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
  list->add_flag("--watch", list_command->watch, "Stay, and show what changes; on a terminal");
  add_verb<WatchCommand>(app, chosen, "watch", "What happens to the slots, as a line of JSON each, until interrupted");
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

std::string exit_codes() {
  std::string text = "Exit codes:\n   0  done\n   1  any other failure\n   2  wrong usage\n";
  for (const proto::ErrorInfo& row : proto::error_table()) {
    if (row.code != row.exit_code || row.code < 3) continue;  // the kind that gave the exit code its meaning
    text += (row.code < 10 ? "   " : "  ") + std::to_string(row.code) + "  " + std::string(row.meaning) + "\n";
  }
  return text + "run: CMD's own code, and 125 when wtpool itself failed\n";
}

Told wrong_usage(const std::string& why, const std::string& verb) {
  std::string clause = why;
  while (!clause.empty() && (clause.back() == '\n' || clause.back() == '.')) clause.pop_back();
  return {verb == "run" ? kRunFailed : kWrongUsage, "wtpool: cannot read the command line: " + printable(clause) +
                                                        "\nhint: wtpool " + verb + (verb.empty() ? "" : " ") + "--help\n"};
}

// What the library says of a verb, or a verb's verb, that is missing is not said of one that is misspelt.
std::string missing_verb(const CLI::App& app, const CLI::App& last) {
  const std::vector<std::string> rest = app.remaining(true);
  const auto word = std::ranges::find_if(rest, [](const std::string& text) { return !text.starts_with('-'); });
  std::string verbs;
  for (const CLI::App* verb : last.get_subcommands({})) verbs += (verbs.empty() ? "" : ", ") + verb->get_name();
  return (word == rest.end() ? "no verb is given" : "there is no verb '" + *word + "'") + "; there are " + verbs;
}

// A word that nothing takes, said so that the reader sees what he meant instead. Empty when there is none.
std::string unexpected_word(const CLI::App& app, std::span<const std::string> words) {
  const std::vector<std::string> rest = app.remaining(true);
  const auto option =
      std::ranges::find_if(rest, [](const std::string& text) { return text.size() > 1 && text.front() == '-'; });
  if (option != rest.end() && *option != "--") return "there is no option '" + *option + "'";
  const auto wait = std::ranges::find(words, "--wait");
  if (wait == words.end() || wait + 1 == words.end() || !parse_duration(*(wait + 1))) return {};
  const bool left_over = std::ranges::find(rest, *(wait + 1)) != rest.end();
  return left_over ? "the time to wait is written with '=', as --wait=" + *(wait + 1) : std::string{};
}

// The library's own way to write a flag that takes a value is not the reader's.
std::string help_of(const CLI::App& app) {
  std::string text = app.help();
  const std::string theirs = "--wait{" + std::string(kForever) + "} [=DUR]";
  const std::string ours = "--wait[=DUR]";
  if (const auto at = text.find(theirs); at != std::string::npos) {
    text.replace(at, theirs.size(), ours + std::string(theirs.size() - ours.size(), ' '));
  }
  if (!text.ends_with('\n')) text += '\n';
  if (!app.get_subcommands().empty()) text += "\nBesides: --pool KEY, --socket PATH, --json, -q, -v; see wtpool --help\n";
  return text;
}

// The words as the library is to see them: what it would take for a value, a flag or a list of its own is kept from it.
struct Words {
  std::vector<std::string> own;
  std::optional<std::vector<std::string>> command;  // what stands behind `--`, of run alone
  bool empty_wait = false;                          // the library takes `--wait=` for `--wait`

  void take_back() {  // `run` was something else, a group perhaps
    own.emplace_back("--");
    own.insert(own.end(), command->begin(), command->end());
    command.reset();
  }
};

Words words_of(std::span<const char* const> args) {
  Words words;
  words.own.assign(args.begin() + std::min<std::ptrdiff_t>(1, std::ssize(args)), args.end());
  const auto mark = std::ranges::find(words.own, "--");
  words.empty_wait = std::find(words.own.begin(), mark, "--wait=") != mark;
  // another verb's `--` is the library's business
  if (mark != words.own.end() && std::find(words.own.begin(), mark, "run") != mark) {
    words.command.emplace(mark + 1, words.own.end());
    words.own.erase(mark, words.own.end());
  }
  return words;
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
  add_run(app, parsed.command);
  add_renew(app, parsed.command);
  add_reports(app, parsed.command);
  add_trash(app, parsed.command);
  add_init(app, parsed.command);
  add_repairs(app, parsed.command);
  add_host(app, parsed.command);

  const auto chosen_verb = [&app] {
    const auto verbs = app.get_subcommands();
    return verbs.empty() ? std::string{} : verbs.front()->get_name();
  };
  const auto read = [&app](std::vector<std::string> words) {
    std::ranges::reverse(words);  // the library takes them from the end
    app.parse(std::move(words));
  };
  Words words = words_of(args);
  try {
    if (words.empty_wait) throw CLI::ValidationError("--wait=", "takes a number with ms, s, m, h or d");
    try {
      read(words.own);
    } catch (const CLI::Error&) {
      if (!words.command || chosen_verb() == "run") throw;
    }
    if (words.command && chosen_verb() != "run") {
      words.take_back();
      read(words.own);
    }
  } catch (const CLI::CallForHelp&) {
    return Told{0, help_of(app)};
  } catch (const CLI::CallForVersion&) {
    return Told{0, app.version() + "\n"};
  } catch (const CLI::RequiredError& wrong) {
    const auto chosen = app.get_subcommands();
    const CLI::App& last = chosen.empty() ? app : *chosen.front();
    const bool verb = last.get_require_subcommand_min() > 0 && last.get_subcommands().empty();
    const std::string word = verb ? missing_verb(app, last) : unexpected_word(app, words.own);
    return wrong_usage(word.empty() ? wrong.what() : word, chosen_verb());
  } catch (const CLI::ExtrasError& wrong) {
    const bool bare_run = chosen_verb() == "run" && !words.command;
    const std::string word = bare_run ? "run takes the command after `--`" : unexpected_word(app, words.own);
    return wrong_usage(word.empty() ? wrong.what() : word, chosen_verb());
  } catch (const CLI::Error& wrong) {
    return wrong_usage(wrong.what(), chosen_verb());
  }
  globals.loudness = quiet ? Loudness::quiet : verbose ? Loudness::verbose : Loudness::normal;
  if (const auto* remove = std::get_if<RemoveCommand>(&parsed.command); remove && !remove->slot && !globals.pool) {
    return wrong_usage("remove takes a SLOT, or the pool to remove as --pool", "remove");
  }
  if (auto* run = std::get_if<RunCommand>(&parsed.command)) {
    if (!words.command || words.command->empty()) return wrong_usage("run takes the command after `--`", "run");
    run->command = std::move(*words.command);
  }
  return parsed;
}

}  // namespace wtpool::client
