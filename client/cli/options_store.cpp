// Options of the verbs of the store.
#include "client/cli/options_verbs.hpp"
#include "common/base/duration.hpp"

namespace wtpool::client::cli {
namespace {

std::string bad_size(const std::string& text) {
  return parse_size(text) ? std::string{} : "takes bytes, such as 500M or 20G, not '" + text + "'";
}

void add_placing(CLI::App& store, Command& chosen) {
  auto [place, command] =
      add_verb<StorePlaceCommand>(store, chosen, "place", "Put an entry into a directory; made first, if need be");
  StorePlaceCommand* given = command;
  place->add_option("KEY", command->key, "The entry's name; it contains a hash of what it is made of")->required();
  place->add_option("ARCHIVE", command->archive, "What it is made of when it is not there: an archive or a directory")
      ->check(nothing);
  place->add_option("--into", command->into, "The directory [here]")->check(nothing);
  place->add_option("--mode", command->mode, "link (default), or writable files: reflink, copy")
      ->check(CLI::IsMember({"link", "reflink", "copy"}));
  place->add_flag("--frozen-only", command->frozen_only, "Use what is there, or exit 17");
  place->add_flag("--force", given->force, "Place also what git would show");
  place->footer(
      "What stands behind `--` is run when the entry is not there and no ARCHIVE is given: it prints the archive. However\n"
      "many ask for one KEY, one of them runs its command, and all have the entry.");
  auto [add, add_command] = add_verb<StoreAddCommand>(store, chosen, "add", "Make an entry from an archive or a directory");
  add->add_option("--dep", add_command->dep, "Instead of KEY: a dep of the pool, at the slot's HEAD")->check(nothing);
  add->add_option("KEY ARCHIVE", add_command->words, "KEY `-`: the archive's SHA-256, which is printed")
      ->required()
      ->expected(1, 2);
  auto [has, has_command] = add_verb<StoreHasCommand>(store, chosen, "has", "Are they all there? 0, or 17");
  has->add_option("KEY", has_command->keys, "Which")->required();
}

void add_thawing(CLI::App& store, Command& chosen) {
  auto [thaw, thaw_command] = add_verb<StoreThawCommand>(store, chosen, "thaw", "Make writable copies of grafts");
  thaw->add_option("PATH", thaw_command->paths, "Grafts at or below")->required();
  auto [freeze, freeze_command] = add_verb<StoreFreezeCommand>(store, chosen, "freeze", "Make links of such copies again");
  freeze->add_option("PATH", freeze_command->paths, "Grafts at or below")->required();
  freeze->add_flag("--discard", freeze_command->discard, "Drop what differs from the entry");
}

void add_looking(CLI::App& store, Command& chosen) {
  auto [status, status_command] =
      add_verb<StoreStatusCommand>(store, chosen, "status", "What is grafted into a slot or directory");
  status->add_option("SLOT|DIR", status_command->target, "Which [here]");
  add_verb<StoreListCommand>(store, chosen, "ls", "The entries");
  auto [gc, gc_command] = add_verb<StoreGcCommand>(store, chosen, "gc", "Remove entries that nobody uses");
  StoreGcCommand* given = gc_command;
  gc->add_flag("--dry-run", gc_command->dry_run, "Only say which");
  gc->add_option_function<std::string>(
        "--older-than",
        [given](const std::string& text) {
          given->older_than = std::chrono::ceil<std::chrono::seconds>(*parse_duration(text));
        },
        "Unused for so long [30d]")
      ->check(bad_duration);
  gc->add_option_function<std::string>(
        "--keep", [given](const std::string& text) { given->keep = *parse_size(text); }, "The oldest, until the rest is SIZE")
      ->check(bad_size);
  gc->add_option("--archives", gc_command->archives, "Archives in DIR that old, whose entry is gone, as well")->check(nothing);
  auto [verify, verify_command] =
      add_verb<StoreVerifyCommand>(store, chosen, "verify", "Compare entries with what they were made as");
  verify->add_option("KEY", verify_command->key, "Only this one");
  add_verb<StorePathCommand>(store, chosen, "path", "Print where the store is");
}

}  // namespace

void add_store_verbs(CLI::App& app, Command& chosen) {
  CLI::App* store = app.add_subcommand("store", "Built once, linked everywhere: entries that never change");
  store->require_subcommand(1);
  add_placing(*store, chosen);
  add_thawing(*store, chosen);
  add_looking(*store, chosen);
}

}  // namespace wtpool::client::cli
