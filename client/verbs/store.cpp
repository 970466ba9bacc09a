// store: entries that are made once and grafted into slots and directories.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "client/cli/render.hpp"
#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/files/files.hpp"

extern char** environ;

namespace wtpool::client {
namespace {

namespace fs = std::filesystem;

// As the daemon is to see it: absolute, and what there is of it without symlinks.
std::string real_place(const std::string& typed) {
  std::error_code failed;
  const fs::path absolute = fs::absolute(typed, failed).lexically_normal();
  std::string text = real_path(absolute).string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

// The same of a graft: a link into the store is not followed, wherever on the way it stands.
std::string place_of_graft(const std::string& typed) {
  const fs::path absolute = fs::absolute(typed).lexically_normal();
  fs::path at = "/";
  bool in_graft = false;
  for (const fs::path& part : absolute.relative_path()) {
    if (part.empty()) continue;
    at /= part;
    std::error_code failed;
    if (in_graft || !fs::is_symlink(fs::symlink_status(at, failed))) continue;
    in_graft = at == absolute || fs::read_symlink(at, failed).string().find("/entries/") != std::string::npos;
    if (!in_graft) at = real_path(at);
  }
  return at.string();
}

std::vector<std::string> places_of_grafts(const std::vector<std::string>& typed) {
  std::vector<std::string> places;
  for (const std::string& each : typed) places.push_back(place_of_graft(each));
  return places;
}

// Runs the command with its output into `file`. Throws when it fails.
void print_archive(const std::vector<std::string>& command, const std::string& file) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  const auto failed = [&](const std::string& why) {
    return proto::Error(proto::ErrorKind::io_error, "cannot make the entry: " + command.front() + " " + why);
  };
  if (failure != 0) throw failed(std::string("cannot be started: ") + std::strerror(failure));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) throw failed("was ended by signal " + std::to_string(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) throw failed("ended with " + std::to_string(WEXITSTATUS(status)));
}

}  // namespace

int run_command(const StorePlaceCommand& command, Context& context) {
  proto::StorePlaceParams params;
  params.scope = context.scope();
  params.key = command.key;
  if (command.archive) params.archive = real_place(*command.archive);
  params.into = real_place(command.into.value_or("."));
  params.mode = command.mode;
  params.frozen_only = command.frozen_only;
  params.force = command.force;
  params.command = !command.command.empty() && !command.archive;
  params.progress = context.output.wants_progress();
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  auto placed = ask<proto::StorePlaceResult>(opened.connection, context, params);
  if (placed.ticket && placed.file) {
    try {
      print_archive(command.command, *placed.file);
    } catch (const proto::Error&) {
      (void)::unlink(placed.file->c_str());
      throw;
    }
    params.ticket = placed.ticket;
    params.archive = placed.file;
    placed = ask<proto::StorePlaceResult>(opened.connection, context, params);
  }
  for (const std::string& path : placed.overridden) context.output.say("overridden: " + path);
  return context.globals.json ? write_result(context, proto::to_json_text(placed) + "\n") : 0;
}

int run_command(const StoreAddCommand& command, Context& context) {
  const std::size_t expected = command.dep ? 1 : 2;
  if (command.words.size() != expected)
    throw proto::Error(proto::ErrorKind::invalid_params, command.dep ? "store add --dep NAME takes one ARCHIVE or DIR"
                                                                     : "store add takes a KEY and an ARCHIVE or DIR");
  proto::StoreAddParams params;
  params.scope = context.scope();
  if (params.scope.cwd) params.scope.cwd = real_place(*params.scope.cwd);
  params.dep = command.dep;
  params.key = command.dep ? "-" : command.words.front();
  params.archive = real_place(command.words.back());
  params.progress = context.output.wants_progress();
  const auto added = ask<proto::StoreAddResult>(context, params);
  if (context.globals.json) return write_result(context, proto::to_json_text(added) + "\n");
  return command.dep || params.key == "-" ? write_result(context, added.key + "\n") : 0;
}

int run_command(const StoreHasCommand& command, Context& context) {
  static_cast<void>(ask<proto::EmptyResult>(context, proto::StoreHasParams{command.keys}));
  return 0;
}

int run_command(const StoreListCommand&, Context& context) {
  const auto list = ask<proto::StoreListResult>(context, proto::StoreListParams{}, kReportLimit);
  return write_result(context, context.globals.json ? proto::to_json_text(list) + "\n" : render_store(list));
}

int run_command(const StoreStatusCommand& command, Context& context) {
  proto::StoreStatusParams params;
  params.scope = context.scope();
  const std::string target = command.target.value_or(".");
  std::error_code failed;
  if (!command.target || target.find('/') != std::string::npos || fs::is_directory(target, failed)) {
    params.directory = real_place(target);
  } else {
    params.target = target;
  }
  const auto status = ask<proto::StoreStatusResult>(context, params);
  return write_result(context, context.globals.json ? proto::to_json_text(status) + "\n" : render_store(status));
}

int run_command(const StoreThawCommand& command, Context& context) {
  proto::StoreThawParams params;
  params.scope = context.scope();
  params.paths = places_of_grafts(command.paths);
  static_cast<void>(ask<proto::EmptyResult>(context, params));
  return 0;
}

int run_command(const StoreFreezeCommand& command, Context& context) {
  proto::StoreFreezeParams params;
  params.scope = context.scope();
  params.paths = places_of_grafts(command.paths);
  params.discard = command.discard;
  static_cast<void>(ask<proto::EmptyResult>(context, params));
  return 0;
}

int run_command(const StoreGcCommand& command, Context& context) {
  proto::StoreGcParams params;
  params.dry_run = command.dry_run;
  if (command.older_than) params.older_than_seconds = command.older_than->count();
  if (command.keep) params.keep_bytes = static_cast<std::int64_t>(*command.keep);
  if (command.archives) params.archives = real_place(*command.archives);
  const auto collected = ask<proto::StoreGcResult>(context, params);
  return write_result(context, context.globals.json ? proto::to_json_text(collected) + "\n" : render_store(collected));
}

int run_command(const StoreVerifyCommand& command, Context& context) {
  static_cast<void>(ask<proto::EmptyResult>(context, proto::StoreVerifyParams{command.key}));
  return 0;
}

int run_command(const StorePathCommand&, Context& context) {
  const auto path = ask<proto::SlotPathResult>(context, proto::StorePathParams{});
  return write_result(context, context.globals.json ? proto::to_json_text(path) + "\n" : path.path + "\n");
}

}  // namespace wtpool::client
