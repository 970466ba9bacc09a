#include "daemon/app/options.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

namespace wtpool::app {

Parsed parse_options(int argc, const char* const* argv) {
  Parsed parsed;
  CLI::App app(
      "wtpoold hands out git worktrees from a pool. It runs in the foreground; wtpool(1) starts it when it is needed.");
  app.set_version_flag("--version", std::string("wtpoold ") + WTPOOL_VERSION);
  app.add_option("--check", parsed.options.check, "Run one check without a daemon, and end")
      ->check(CLI::IsMember({"config", "doctor", "unstick", "validate-gitmodules"}));
  app.add_flag("--json", parsed.options.json, "With --check: compact JSON");
  app.add_flag("--repair", parsed.options.repair, "With --check doctor: put right what can be, in pools that no daemon serves");
  app.add_option("--slot", parsed.options.slot, "With --check unstick: this slot alone");
  app.add_option("--pool", parsed.options.pool, "With --check doctor or unstick: of the pools, this one alone");
  app.add_option("--socket", parsed.options.socket, "Serve at this path instead of $WTPOOL_SOCKET or the default");
  app.add_flag("-v,--verbose", parsed.options.verbose, "Log to stderr too, with details");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = 2;
    if (error.get_exit_code() == 0) {
      parsed.exit_code = app.exit(error);
    } else {
      std::cerr << "wtpoold: cannot read the command line: " << error.what() << "\nhint: wtpoold --help\n";
    }
  }
  return parsed;
}

}  // namespace wtpool::app
