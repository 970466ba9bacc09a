// Options of the verbs for jobs of CI systems.
#include "client/cli/options_verbs.hpp"

namespace wtpool::client::cli {
namespace {

void add_system(CLI::App& verb, std::optional<std::string>& system) {
  verb.add_option("--for", system, "The CI system [the one whose variables are set]")
      ->check(CLI::IsMember({"github", "gitlab", "buildkite", "jenkins"}));
}

}  // namespace

void add_ci_verbs(CLI::App& app, Command& chosen) {
  CLI::App* ci = app.add_subcommand("ci", "Take and give back the slot of a CI job");
  ci->require_subcommand(1);
  auto [begin, begin_command] = add_verb<CiBeginCommand>(*ci, chosen, "begin", "Take a slot for this job; prints its path");
  AcquireCommand* acquire = &begin_command->acquire;
  add_system(*begin, begin_command->system);
  begin->add_option("--commit", acquire->commit, "What to check out [what the job is about]")->check(nothing);
  begin->add_option("--group", acquire->group, "The group of slots");
  add_wait(begin, acquire);
  add_ttl(*begin, acquire->ttl, "The lease ends after that [as long as the job may take]");
  begin->add_flag("--env", begin_command->env, "Print `export` lines for a shell's eval instead of the path");
  begin->add_flag("--print", begin_command->print, "Only say what would be done");
  begin->footer(
      "NAME, key, commit and the process that the lease depends on come from the job's own variables. On GitHub the path and\n"
      "the lease are written to $GITHUB_OUTPUT and $GITHUB_ENV, too.");
  auto [end, end_command] =
      add_verb<CiEndCommand>(*ci, chosen, "end", "Give the slot of this job back; nothing held is no failure");
  CiEndCommand* given = end_command;
  add_system(*end, end_command->system);
  CLI::Option* discard = end->add_flag_callback(
      "--discard", [given] { given->dirty = proto::Dirty::discard; }, "Drop what is not committed");
  end->add_flag_callback(
         "--refuse-dirty", [given] { given->dirty = proto::Dirty::refuse; }, "Do nothing if there is such work (exit 11)")
      ->excludes(discard);
  end->add_flag("--print", end_command->print, "Only say what would be done");
}

}  // namespace wtpool::client::cli
