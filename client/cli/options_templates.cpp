// Options of the verbs about templates.
#include "client/cli/options_verbs.hpp"
#include "common/base/duration.hpp"

namespace wtpool::client::cli {
namespace {

void add_prepare(CLI::App& app, Command& chosen) {
  auto [verb, prepare] =
      add_verb<PrepareCommand>(app, chosen, "prepare", "Freeze a slot that CMD has built; new slots begin as it stands");
  PrepareCommand* given = prepare;
  verb->add_option("--group", prepare->group, "The group of slots");
  verb->add_option("--commit", prepare->commit, "What to check out, or what the idle slot is to be near to")->check(nothing);
  verb->add_option("--slot", prepare->slot, "This slot and no other")->check(nothing);
  auto said = std::make_shared<std::string>();
  verb->add_flag("--wait{" + std::string(kForever) + "}", *said, "Wait for a slot, and for processes that CMD left in it")
      ->type_name("[=DUR]")
      ->check([](const std::string& text) { return text == kForever ? std::string{} : bad_duration(text); })
      ->each([given, said](const std::string& text) {
        given->wait = text == kForever ? std::chrono::milliseconds(0) : parse_duration(text);
        if (text != kForever && given->wait->count() == 0) given->wait.reset();
      });
  verb->footer(
      "wtpool prepare ... -- CMD ... runs CMD in a slot as `wtpool run` does. When it ended with 0, the slot becomes the "
      "template\n"
      "of its group: the tracked files, and what git ignores and the pool's `carry` allows. Without CMD an idle slot is "
      "frozen.\n"
      "The exit code is CMD's own, or 125 when wtpool itself failed; the template before is then still in use.");
}

void add_warm(CLI::App& app, Command& chosen) {
  auto [verb, warm] = add_verb<WarmCommand>(app, chosen, "warm", "Make idle slots ahead, for whoever comes next");
  verb->add_option("N", warm->count, "How many are to be idle in all")->required()->check(CLI::Range(0, 10000));
  verb->add_option("--group", warm->group, "The group of slots");
  verb->add_flag("--wait", warm->wait, "Until they are idle");
  verb->footer(
      "Slots are made in the background, from the template of the group where there is one, and give way to every acquire.\n"
      "`warm: N` in the pool's config keeps that many ready for good.");
}

}  // namespace

void add_template_verbs(CLI::App& app, Command& chosen) {
  add_prepare(app, chosen);
  add_warm(app, chosen);
  CLI::App* verb = app.add_subcommand("template", "What new slots are made of");
  verb->require_subcommand(1);
  add_verb<TemplateListCommand>(*verb, chosen, "ls", "What there is");
  auto [drop, drop_command] = add_verb<TemplateDropCommand>(*verb, chosen, "drop", "Use one no more");
  drop->add_option("ID", drop_command->id, "Which")->required();
}

}  // namespace wtpool::client::cli
