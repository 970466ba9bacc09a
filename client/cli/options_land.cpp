// Options of `land`.
#include "client/cli/options_verbs.hpp"
#include "common/base/duration.hpp"

namespace wtpool::client::cli {

void add_land_verb(CLI::App& app, Command& chosen) {
  auto [verb, land] = add_verb<LandCommand>(app, chosen, "land", "Bring a slot's commits onto a branch, in order and tested");
  LandCommand* given = land;
  verb->add_option("NAME|SLOT", land->target, "Which [that of the current directory]");
  verb->add_option("--into", land->into, "The branch to land on [land_into, else that of default_commit]")
      ->type_name("BRANCH")
      ->check(nothing);
  verb->add_option_function<std::string>(
          "--style", [given](const std::string& text) { given->style = proto::land_style_from(text); },
          "merge, no-ff, squash or rebase [land_style]")
      ->type_name("STYLE")
      ->check([](const std::string& text) {
        return proto::land_style_from(text) ? std::string{} : "'" + text + "' is none of merge, no-ff, squash and rebase";
      });
  verb->add_option("-m", land->message, "Commit tracked changes first; with squash: the message of the one commit")
      ->type_name("MSG")
      ->check(nothing);
  CLI::Option* test = verb->add_option("--test", land->test, "A command that must succeed at the commit that lands [land_test]")
                          ->type_name("CMD")
                          ->check(nothing);
  verb->add_flag("--no-test", land->no_test, "Land untested")->excludes(test);
  CLI::Option* release = verb->add_flag("--release", land->release, "Release the slot afterwards, if nothing is new in it");
  verb->add_flag("--stay", land->stay, "Leave the slot's branch where it is")->excludes(release);
  verb->add_option_function<std::string>(
          "--wait", [given](const std::string& text) { given->wait = parse_duration(text); }, "Give up after that [30m]")
      ->type_name("DUR")
      ->check(bad_duration);
  verb->add_flag("--push", land->push, "Land on the remote's branch: push it there, without force");
  verb->add_flag("--dry-run", land->dry_run, "Say what would land, and change nothing");
  verb->footer(
      "The commit that lands is made without touching any working tree, tested, and then becomes the branch in one step.\n"
      "A checkout of the branch follows, with its owner's changes in place. Exit 11: not committed; 14: it does not go\n"
      "together with the branch; 15: the branch or a checkout of it is not in a state to land on; 16: the test failed.");
}

}  // namespace wtpool::client::cli
