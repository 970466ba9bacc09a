#include "daemon/app/start.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <exception>
#include <filesystem>

#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "common/platform/memory.hpp"
#include "common/platform/process.hpp"
#include "daemon/app/doctor/host_checks.hpp"
#include "daemon/app/host_config.hpp"
#include "daemon/app/options.hpp"
#include "daemon/app/service.hpp"
#include "daemon/git/process/killed_gits.hpp"
#include "daemon/git/source/mirror.hpp"

namespace wtpool::app {
namespace {

std::filesystem::path root_of(const HostPaths& paths, const disk::HostConfig& config) {
  if (paths.root_from_env) return *paths.root_from_env;
  if (config.root) return expand_path(*config.root, paths.home);
  return paths.default_root;
}

// A mistake in it is one of the things that a doctor is asked about.
disk::HostConfig good_config_or_defaults(const HostPaths& paths) {
  try {
    return read_host_config(paths);
  } catch (const proto::Error&) {
    return {};
  }
}

int check(const Options& options, const CheckFacts& facts) {
  if (*options.check == "doctor") return print_doctor(facts, options.json, options.repair);
  if (*options.check == "config") return 0;  // it was read
  if (*options.check == "unstick") return print_locks(facts, options);
  return validate_gitmodules(validated(facts), options.json);
}

int serve(const Options& options) {
  const auto paths = host_paths();
  const bool looks = options.check == "doctor";
  const auto config = looks ? good_config_or_defaults(paths) : read_host_config(paths);
  const auto root = root_of(paths, config);
  std::filesystem::path socket = paths.socket_from_env.value_or(paths.default_socket);
  if (options.socket) socket = expand_path(*options.socket, std::filesystem::current_path());
  git::keep_killed_record(paths.state_dir / "killed");
  if (options.check) return check(options, {paths, root, socket, false, {}, options.pool});

  check_socket_path(socket);
  auto instance = InstanceLock::try_take(paths);
  if (!instance) {
    const auto other = running_instance(paths.instance_lock);
    std::fprintf(stderr, "wtpoold: another daemon serves already%s\n",
                 other ? (" (pid " + std::to_string(other->pid) + ", " + other->socket + ")").c_str() : "");
    return 0;
  }
  make_directories(root, 0755);
  // What runs later must not depend on the directory it was started in, nor keep a file system busy.
  std::filesystem::current_path("/");
  open_log(paths.log_file, options.verbose ? LogLevel::debug : log_level_of(config), options.verbose);
  remove_staged(paths.state_dir);
  git::remove_unfinished_mirrors(real_path(root));
  Service service(std::move(*instance), paths, config, real_path(root), socket, options.verbose);
  return service.run();
}

}  // namespace

int start(int argc, const char* const* argv) {
  const auto parsed = parse_options(argc, argv);
  if (parsed.exit_code) return *parsed.exit_code;
  // Slots are as `git worktree add` of their holders would make them, whoever started the daemon, from a crontab say.
  ::umask(022);
  platform::keep_little_freed_memory();
  try {
    return serve(parsed.options);
  } catch (const proto::Error& error) {
    std::fprintf(stderr, "wtpoold: %s\n", printable(error.message).c_str());
    if (!error.hint.empty()) std::fprintf(stderr, "hint: %s\n", printable(error.hint).c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wtpoold: internal error: %s\n", error.what());
  }
  return 1;
}

}  // namespace wtpool::app
