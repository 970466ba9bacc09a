#include "client/verbs/verbs.hpp"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "client/verbs/ask.hpp"

namespace wtpool::client {

proto::Scope Context::scope() const {
  proto::Scope scope;
  scope.pool = globals.pool;
  if (const char* pool = std::getenv("WTPOOL_POOL"); !scope.pool && pool && *pool) scope.pool = pool;
  char directory[PATH_MAX];
  // one that was removed has no name, or one that cannot be reached by it
  if (::getcwd(directory, sizeof directory) && directory[0] == '/') scope.cwd = directory;
  return scope;
}

namespace {

// No NAME and no slot id begins with a slash or a dot.
bool is_path(const std::string& typed) { return typed.starts_with('/') || typed.starts_with('.'); }

}  // namespace

proto::Scope Context::scope_of(const std::string& typed) const {
  proto::Scope found = scope();
  // A path says which pool it is in; the environment's pool is for what does not.
  if (is_path(typed)) found.pool = globals.pool;
  return found;
}

std::string named(const std::string& typed) {
  if (typed.empty()) throw proto::Error(proto::ErrorKind::bad_name, "cannot tell what is meant: the NAME or SLOT is empty");
  if (!is_path(typed)) return typed;
  // A slot's own directory may be gone, or something else in its place: what leads to it is what has to be real.
  std::error_code failed;
  const auto whole = std::filesystem::absolute(typed, failed).lexically_normal();
  const auto real = std::filesystem::weakly_canonical(whole, failed);
  if (failed) return whole.string();
  std::string path = real.string();
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

proto::Target target_of(const std::string& typed) {
  proto::Target target;
  target.target = named(typed);
  return target;
}

int write_result(Context& context, const std::string& text) {
  if (context.output.result(text)) return 0;
  const int why = errno;
  context.output.error({proto::ErrorKind::io_error, std::string("cannot write the result: ") + std::strerror(why)});
  return 1;
}

int run(std::span<const char* const> args, Streams streams) {
  Output output(streams, Loudness::normal);
  try {
    const auto options = parse_options(args);
    if (const auto* told = std::get_if<Told>(&options)) {
      if (told->exit_code == 0) return output.result(told->text) ? 0 : 1;
      output.lines(told->text);
      return told->exit_code;
    }
    const Parsed& parsed = std::get<Parsed>(options);
    output = Output(streams, parsed.globals.loudness, parsed.globals.json);
    const HostPaths paths = host_paths();
    Context context{parsed.globals, paths, output};
    return std::visit([&context](const auto& command) { return run_command(command, context); }, parsed.command);
  } catch (const proto::Error& error) {
    output.error(error);
    return proto::info(error.kind).exit_code;
  } catch (const Interrupted& interrupted) {
    output.end_wait();
    return 128 + interrupted.signal;
  } catch (const std::exception& unexpected) {
    output.error({proto::ErrorKind::internal, std::string("cannot go on: ") + unexpected.what()});
    return 1;
  }
}

}  // namespace wtpool::client
