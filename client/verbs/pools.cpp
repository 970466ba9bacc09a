// init, remove, pools.
#include <filesystem>

#include "client/cli/render.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/base/url.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::client {

int run_command(const InitCommand& command, Context& context) {
  const std::filesystem::path here = std::filesystem::current_path();
  proto::PoolInitParams params;
  params.pool = context.globals.pool;  // the environment names a pool that is there already
  params.source = is_url(command.source) ? command.source : expand_path(command.source, here).string();
  if (has_password(command.source)) {
    throw proto::Error(proto::ErrorKind::invalid_params,
                       "cannot make the pool: " + without_credentials(command.source) +
                           " was given with a password, which would stand in a config; git's credential helpers keep one",
                       "wtpool init --source " + proto::shell_word(without_credentials(command.source)));
  }
  if (command.reference) params.reference = expand_path(*command.reference, here).string();
  params.progress = context.output.wants_progress();
  params.max_slots = command.max_slots;
  params.groups = command.groups;
  params.default_commit = command.default_commit;
  params.submodule_mirror_mode = command.submodule_mirror_mode;
  if (command.submodule_mirror_base) params.submodule_mirror_base = expand_path(*command.submodule_mirror_base, here).string();
  static_cast<void>(ask<proto::PoolInitResult>(context, params));
  return 0;
}

int run_command(const RemoveCommand& command, Context& context) {
  if (command.slot) {
    proto::SlotRemoveParams params;
    params.scope = context.scope_of(*command.slot);
    params.slot = named(*command.slot);
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
