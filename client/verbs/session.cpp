// sweep, diff, whoami, orient: for who works in slots himself.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "client/cli/render.hpp"
#include "client/daemon/start.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/files/files.hpp"
#include "common/process/run_child.hpp"

namespace wtpool::client {
namespace {

using proto::Error;
using proto::ErrorKind;

constexpr std::size_t kLongest = std::size_t{16} << 20;  // of AGENTS.md

// The first line of what git says; nothing when it fails.
std::optional<std::string> git_says(const std::string& directory, std::vector<std::string> arguments) {
  SpawnOptions options;
  options.argv = {"git"};
  if (!directory.empty()) options.argv.insert(options.argv.end(), {"-C", directory});
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment = own_environment();
  const auto said = run_child(options);
  if (!said.ok() || said.output.empty()) return std::nullopt;
  return said.output.substr(0, said.output.find('\n'));
}

proto::LocateResult locate(Context& context, const std::optional<std::string>& target) {
  proto::LocateParams params;
  params.scope = context.scope();
  if (target) params.target = target_of(*target);
  return ask<proto::LocateResult>(context, params, kReportLimit);
}

}  // namespace

int run_command(const SweepCommand& command, Context& context) {
  proto::SweepParams params;
  params.scope = context.scope();
  params.names = command.names;
  for (const auto& name : params.names) static_cast<void>(named(name));
  if (command.min_age) params.min_age_seconds = command.min_age->count();
  params.dry_run = command.dry_run;
  const auto swept = ask<proto::SweepResult>(context, params, 5 * kReportLimit);
  const int written = write_result(
      context, context.globals.json ? proto::to_json_text(swept) + "\n" : render_sweep(swept.rows, command.dry_run));
  int kept = 0;
  for (const auto& row : swept.rows) {
    const bool would =
        command.dry_run && (row.sweep_class == proto::SweepClass::merged || row.sweep_class == proto::SweepClass::empty);
    if (row.released || would || command.names.empty()) continue;
    ++kept;
    context.output.say("'" + row.name.value_or(row.slot) + "' is kept: " + row.reason);
    if (row.hint) context.output.lines("hint: " + *row.hint + "\n");
  }
  return written != 0 ? written : kept > 0 ? 1 : 0;
}

int run_command(const DiffCommand& command, Context& context) {
  const auto found = locate(context, command.target);
  if (found.where != "slot")
    throw Error(ErrorKind::not_held, "cannot show what was changed: this is no slot", "wtpool diff NAME");
  std::optional<std::string> from;
  if (found.target) from = git_says(found.path, {"merge-base", "HEAD", *found.target});
  if (!from) from = found.base;
  std::vector<std::string> words = {"git", "-C", found.path, "diff"};
  if (from) words.push_back(*from);
  words.insert(words.end(), command.command.begin(), command.command.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());  // git shows it: its pager and its colours are the user's
  throw Error(ErrorKind::io_error, std::string("cannot run git: ") + std::strerror(errno));
}

int run_command(const WhoamiCommand&, Context& context) {
  proto::LocateResult found;
  found.where = "none";
  try {
    found = locate(context, std::nullopt);
  } catch (const Error& error) {
    context.output.error(error);  // nobody can say that it is a slot; hooks of others go on
  }
  if (context.globals.json) return write_result(context, proto::to_json_text(found) + "\n");
  return write_result(context, found.where + "\t" + found.path + "\n");
}

int run_command(const OrientCommand&, Context& context) {
  const auto top = git_says({}, {"rev-parse", "--show-toplevel"});
  if (!top) throw Error(ErrorKind::source_missing, "cannot orient: this directory is in no repository");
  std::string text = *top + "\n\n";
  for (const char* name : {"AGENTS.md", "CLAUDE.md"}) {
    const auto file = std::filesystem::path(*top) / name;
    std::error_code failed;
    if (!std::filesystem::is_regular_file(file, failed)) continue;
    text += read_file(std::filesystem::canonical(file), kLongest).value_or("");
    if (!text.ends_with('\n')) text += '\n';
    break;
  }
  return write_result(context, text);
}

}  // namespace wtpool::client
