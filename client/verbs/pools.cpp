// init, remove, pools.
#include <filesystem>

#include "client/cli/render.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/base/names.hpp"

namespace wtpool::client {
namespace {

// What was said, or the repository that the path, or the current directory, is a folder of.
std::filesystem::path source_of(const InitCommand& command, const std::filesystem::path& here) {
  if (!command.source.empty()) return expand_path(command.source, here);
  const auto path = command.path.empty() ? here : expand_path(command.path, here);
  std::error_code ignored;
  for (auto at = path;; at = at.parent_path()) {
    const bool bare = std::filesystem::exists(at / "HEAD", ignored) && std::filesystem::is_directory(at / "objects", ignored);
    if (bare || std::filesystem::exists(at / ".git", ignored)) return at;
    if (at == at.parent_path()) return path;
  }
}

}  // namespace

int run_command(const InitCommand& command, Context& context) {
  const std::filesystem::path here = std::filesystem::current_path();
  proto::PoolInitParams params;
  params.pool = context.globals.pool;  // the environment names a pool that is there already
  params.source = source_of(command, here).string();
  params.max_slots = command.max_slots;
  params.groups = command.groups;
  params.default_commit = command.default_commit;
  params.submodule_mirror_mode = command.submodule_mirror_mode;
  if (command.submodule_mirror_base) params.submodule_mirror_base = expand_path(*command.submodule_mirror_base, here).string();
  const auto made = ask<proto::PoolInitResult>(context, params);
  context.output.say("pool " + printable(made.pool) + " of " + printable(made.source) + "; its slots will live in " +
                     printable(made.root) + ", and are made when they are first wanted");
  return 0;
}

int run_command(const RemoveCommand& command, Context& context) {
  if (command.slot) {
    proto::SlotRemoveParams params;
    params.scope = context.scope_of(*command.slot);
    params.slot = named(*command.slot);
    params.discard = command.discard;
    static_cast<void>(ask<proto::EmptyResult>(context, params));
  } else {
    // said on this very command line: an environment that names a pool does not ask for its end
    static_cast<void>(ask<proto::EmptyResult>(context, proto::PoolRemoveParams{context.globals.pool.value()}));
  }
  return 0;
}

int run_command(const PoolsCommand&, Context& context) {
  const auto list = ask<proto::PoolListResult>(context, proto::PoolListParams{}, kReportLimit);
  return write_result(context, context.globals.json ? proto::to_json_text(list) + "\n" : render_pools(list.pools));
}

}  // namespace wtpool::client
