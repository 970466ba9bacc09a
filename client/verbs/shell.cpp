// completion, shell-init: what a shell's own files evaluate; __complete: what may stand next.
#include <algorithm>
#include <set>

#include "client/cli/complete.hpp"
#include "client/verbs/ask.hpp"
#include "common/base/names.hpp"

namespace wtpool::client {
namespace {

constexpr std::chrono::milliseconds kCompletionLimit{300};  // a key was pressed: late candidates are none

constexpr std::string_view kBash = R"(_wtpool() {
  local IFS=$'\n'
  COMPREPLY=($(wtpool __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _wtpool wtpool
)";
constexpr std::string_view kZsh = R"(_wtpool() {
  local -a found
  found=("${(@f)$(wtpool __complete -- "${(@)words[2,$CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _wtpool wtpool
)";
constexpr std::string_view kFish = R"(function __wtpool_complete
    set -l typed (commandline -opc) (commandline -ct)
    wtpool __complete -- $typed[2..-1] 2>/dev/null
end
complete -c wtpool -f -a '(__wtpool_complete)'
)";
constexpr std::string_view kFunction = R"(# wt NAME [flags of acquire]: takes a slot, or the one that NAME has, and goes there
wt() {
  local slot
  slot=$(wtpool path "$1" 2>/dev/null) || slot=$(wtpool acquire "$@") || return
  cd "$slot" || return
}
)";
constexpr std::string_view kFishFunction =
    R"(# wt NAME [flags of acquire]: takes a slot, or the one that NAME has, and goes there
function wt
    set -l slot (wtpool path $argv[1] 2>/dev/null); or set slot (wtpool acquire $argv); or return
    cd $slot
end
)";

std::set<std::string> live_words(const Candidates& found, Connection& connection, Context& context) {
  std::set<std::string> words;
  proto::Scope scope = context.scope();
  if (found.pool) scope.pool = found.pool;
  if (found.live == Live::pools) {
    for (const auto& pool : ask<proto::PoolListResult>(connection, context, proto::PoolListParams{}, kCompletionLimit).pools)
      words.insert(pool.pool);
  } else if (found.live == Live::trash) {
    proto::TrashListParams params;
    params.scope = scope;
    for (const auto& entry : ask<proto::TrashListResult>(connection, context, params, kCompletionLimit).entries)
      words.insert(entry.id);
  } else {
    proto::SlotListParams params;
    params.scope = scope;
    for (const auto& slot : ask<proto::SlotListResult>(connection, context, params, kCompletionLimit).slots) {
      if (slot.state != proto::SlotState::fresh && found.live == Live::slots) words.insert(slot.slot);
      if (slot.name) words.insert(*slot.name);
    }
  }
  return words;
}

}  // namespace

int run_command(const CompletionCommand& command, Context& context) {
  return write_result(context, std::string(command.shell == "bash" ? kBash : command.shell == "zsh" ? kZsh : kFish));
}

int run_command(const ShellInitCommand& command, Context& context) {
  return write_result(context, std::string(command.shell == "fish" ? kFishFunction : kFunction));
}

// Never starts a daemon and never fails: no candidates are no error.
int run_command(const CompleteCommand& command, Context& context) {
  const Candidates found = candidates_for(command.command);
  std::set<std::string> words(found.words.begin(), found.words.end());
  try {
    if (found.live != Live::none) {
      if (auto opened = open_running_daemon(context.globals, context.paths))
        words.merge(live_words(found, opened->connection, context));
    }
  } catch (const proto::Error&) {  // a pool that is away, a daemon that is busy: the other words are still right
  }
  const std::string typed = command.command.empty() ? std::string{} : command.command.back();
  std::string text;
  for (const std::string& word : words) {
    if (word.starts_with(typed) && printable(word) == word) text += word + "\n";
  }
  return write_result(context, text);
}

}  // namespace wtpool::client
