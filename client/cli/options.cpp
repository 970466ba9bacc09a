#include "client/cli/options.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "client/cli/complete.hpp"
#include "client/cli/options_verbs.hpp"
#include "common/base/duration.hpp"
#include "common/base/names.hpp"
#include "proto/errors.hpp"

namespace wtpool::client {
namespace {

std::string exit_codes() {
  std::string text = "Exit codes:\n   0  done\n   1  any other failure\n   2  wrong usage\n";
  for (const proto::ErrorInfo& row : proto::error_table()) {
    if (row.code != row.exit_code || row.code < 3) continue;  // the kind that gave the exit code its meaning
    text += (row.code < 10 ? "   " : "  ") + std::to_string(row.code) + "  " + std::string(row.meaning) + "\n";
  }
  return text + "run, go: CMD's own code, and 125 when wtpool itself failed\n";
}

// Verbs that are followed by a command behind `--`, and whether they can do without one.
struct BeforeCommand {
  std::string_view verb;
  bool needs_one;
};
constexpr std::array kBeforeCommand{BeforeCommand{"run", true},         BeforeCommand{"store", false},
                                    BeforeCommand{"go", false},         BeforeCommand{"diff", false},
                                    BeforeCommand{"__complete", false}, BeforeCommand{"prepare", false}};

bool takes_command(std::string_view verb) {
  return std::ranges::any_of(kBeforeCommand, [verb](const BeforeCommand& row) { return row.verb == verb; });
}
bool needs_command(std::string_view verb) {
  return std::ranges::any_of(kBeforeCommand, [verb](const BeforeCommand& row) { return row.verb == verb && row.needs_one; });
}

Told wrong_usage(const std::string& why, const std::string& verb) {
  std::string clause = why;
  while (!clause.empty() && (clause.back() == '\n' || clause.back() == '.')) clause.pop_back();
  return {verb == "run" || verb == "prepare" ? kRunFailed : kWrongUsage,
          "wtpool: cannot read the command line: " + printable(clause) + "\nhint: wtpool " + verb + (verb.empty() ? "" : " ") +
              "--help\n"};
}

// What the library says of a verb, or a verb's verb, that is missing is not said of one that is misspelt.
std::string missing_verb(const CLI::App& app, const CLI::App& last) {
  const std::vector<std::string> rest = app.remaining(true);
  const auto word = std::ranges::find_if(rest, [](const std::string& text) { return !text.starts_with('-'); });
  std::vector<std::string> verbs;
  for (const CLI::App* verb : last.get_subcommands({})) {
    if (!verb->get_group().empty()) verbs.push_back(verb->get_name());
  }
  if (word != rest.end()) {
    if (const auto meant = nearest(*word, verbs)) return "there is no verb '" + *word + "'; did you mean " + *meant + "?";
  }
  std::string all;
  for (const std::string& verb : verbs) all += (all.empty() ? "" : ", ") + verb;
  return (word == rest.end() ? "no verb is given" : "there is no verb '" + *word + "'") + "; there are " + all;
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
  const std::string theirs = "--wait{" + std::string(cli::kForever) + "} [=DUR]";
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
  std::optional<std::vector<std::string>> command;  // what stands behind `--`, of a verb of kBeforeCommand
  bool empty_wait = false;                          // the library takes `--wait=` for `--wait`

  void take_back() {  // the verb was something else, a value perhaps
    own.emplace_back("--");
    own.insert(own.end(), command->begin(), command->end());
    command.reset();
  }
};

Words words_of(std::span<const char* const> args) {
  Words words;
  words.own.assign(args.begin() + std::min<std::ptrdiff_t>(1, std::ssize(args)), args.end());
  if (!words.own.empty() && words.own.front() == "help") {  // help VERB is VERB --help
    words.own.erase(words.own.begin());
    words.own.emplace_back("--help");
  }
  const auto mark = std::ranges::find(words.own, "--");
  words.empty_wait = std::find(words.own.begin(), mark, "--wait=") != mark;
  // another verb's `--` is the library's business
  if (mark != words.own.end() && std::any_of(words.own.begin(), mark, takes_command)) {
    words.command.emplace(mark + 1, words.own.end());
    words.own.erase(mark, words.own.end());
  }
  return words;
}

}  // namespace

void cli::add_everything(CLI::App& app, Parsed& parsed, Loud& loud) {
  app.require_subcommand(1);
  app.fallthrough();  // inherited by the verbs: what they do not know is one of the options below
  app.footer(exit_codes);
  app.set_version_flag("--version", "wtpool " WTPOOL_VERSION);
  Globals& globals = parsed.globals;
  app.add_option("--pool", globals.pool, "The pool [$WTPOOL_POOL, else that of the current directory, else the only one]");
  app.add_option("--socket", globals.socket, "Where the daemon listens [$WTPOOL_SOCKET]");
  app.add_flag("--json", globals.json, "Reports as one line of JSON");
  CLI::Option* less = app.add_flag("-q,--quiet", loud.quiet, "No warnings, no progress");
  app.add_flag("-v,--verbose", loud.verbose, "Show what git says")->excludes(less);
  add_lease_verbs(app, parsed.command);
  add_session_verbs(app, parsed.command);
  add_land_verb(app, parsed.command);
  add_report_verbs(app, parsed.command);
  add_template_verbs(app, parsed.command);
  add_trash_verbs(app, parsed.command);
  add_store_verbs(app, parsed.command);
  add_host_verbs(app, parsed.command);
  add_ci_verbs(app, parsed.command);
  add_shell_verbs(app, parsed.command);
}

std::variant<Parsed, Told> parse_options(std::span<const char* const> args) {
  Parsed parsed;
  CLI::App app("A pool of warm git worktrees", "wtpool");
  cli::Loud loud;
  Globals& globals = parsed.globals;
  cli::add_everything(app, parsed, loud);

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
      if (!words.command || takes_command(chosen_verb())) throw;
    }
    if (words.command && !takes_command(chosen_verb())) {
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
    const bool bare = needs_command(chosen_verb()) && !words.command;
    const std::string word = bare ? chosen_verb() + " takes the command after `--`" : unexpected_word(app, words.own);
    return wrong_usage(word.empty() ? wrong.what() : word, chosen_verb());
  } catch (const CLI::Error& wrong) {
    return wrong_usage(wrong.what(), chosen_verb());
  }
  globals.loudness = loud.quiet ? Loudness::quiet : loud.verbose ? Loudness::verbose : Loudness::normal;
  if (const auto* remove = std::get_if<RemoveCommand>(&parsed.command); remove && !remove->slot && !globals.pool) {
    return wrong_usage("remove takes a SLOT, or the pool to remove as --pool", "remove");
  }
  if (needs_command(chosen_verb()) && (!words.command || words.command->empty()))
    return wrong_usage(chosen_verb() + " takes the command after `--`", chosen_verb());
  std::visit(
      [&words](auto& command) {
        if constexpr (requires { command.command; })
          command.command = std::move(words.command).value_or(std::vector<std::string>{});
      },
      parsed.command);
  return parsed;
}

}  // namespace wtpool::client
