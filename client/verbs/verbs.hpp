// One function a verb: asks the daemon, writes the result, returns the exit code. What goes wrong is thrown as proto::Error
// (or Interrupted) and becomes words and an exit code in run().
#pragma once

#include "client/cli/options.hpp"
#include "client/cli/output.hpp"
#include "common/host_paths.hpp"

namespace wtpool::client {

struct Context {
  const Globals& globals;
  const HostPaths& paths;
  Output& output;

  // Which pool: --pool, else $WTPOOL_POOL; and the current directory, from which the daemon tells it otherwise.
  [[nodiscard]] proto::Scope scope() const;
  [[nodiscard]] proto::Scope scope_of(const std::string& typed) const;  // of what is named by NAME, SLOT or path
};

int run_command(const InitCommand& command, Context& context);
int run_command(const RemoveCommand& command, Context& context);
int run_command(const PoolsCommand& command, Context& context);
int run_command(const AcquireCommand& command, Context& context);
int run_command(const ReleaseCommand& command, Context& context);
int run_command(const LandCommand& command, Context& context);
int run_command(const ListCommand& command, Context& context);
int run_command(const InspectCommand& command, Context& context);
int run_command(const PathCommand& command, Context& context);
int run_command(const RepairCommand& command, Context& context);
int run_command(const StatusCommand& command, Context& context);
int run_command(const DoctorCommand& command, Context& context);
int run_command(const DaemonCommand& command, Context& context);
int run_command(const UnstickCommand& command, Context& context);
int run_command(const ValidateGitmodulesCommand& command, Context& context);
int run_command(const RunCommand& command, Context& context);
int run_command(const PrepareCommand& command, Context& context);
int run_command(const TemplateListCommand& command, Context& context);
int run_command(const TemplateDropCommand& command, Context& context);
int run_command(const RenewCommand& command, Context& context);
int run_command(const WatchCommand& command, Context& context);
int run_command(const TrashListCommand& command, Context& context);
int run_command(const TrashRestoreCommand& command, Context& context);
int run_command(const TrashDropCommand& command, Context& context);
int run_command(const GoCommand& command, Context& context);
int run_command(const SweepCommand& command, Context& context);
int run_command(const DiffCommand& command, Context& context);
int run_command(const WhoamiCommand& command, Context& context);
int run_command(const OrientCommand& command, Context& context);
int run_command(const AgentCreateCommand& command, Context& context);
int run_command(const AgentRemoveCommand& command, Context& context);
int run_command(const AgentInstallCommand& command, Context& context);
int run_command(const McpCommand& command, Context& context);
int run_command(const HooksListCommand& command, Context& context);
int run_command(const HooksRunCommand& command, Context& context);
int run_command(const HooksTrustCommand& command, Context& context);
int run_command(const HooksRevokeCommand& command, Context& context);
int run_command(const CiBeginCommand& command, Context& context);
int run_command(const CiEndCommand& command, Context& context);
int run_command(const CompletionCommand& command, Context& context);
int run_command(const ShellInitCommand& command, Context& context);
int run_command(const CompleteCommand& command, Context& context);

int run_command(const StorePlaceCommand& command, Context& context);
int run_command(const StoreAddCommand& command, Context& context);
int run_command(const StoreHasCommand& command, Context& context);
int run_command(const StoreListCommand& command, Context& context);
int run_command(const StoreStatusCommand& command, Context& context);
int run_command(const StoreThawCommand& command, Context& context);
int run_command(const StoreFreezeCommand& command, Context& context);
int run_command(const StoreGcCommand& command, Context& context);
int run_command(const StoreVerifyCommand& command, Context& context);
int run_command(const StorePathCommand& command, Context& context);

// The whole program but for the process it runs in. Never throws.
[[nodiscard]] int run(std::span<const char* const> args, Streams streams = {});

}  // namespace wtpool::client
