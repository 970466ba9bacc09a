#include "common/base/log.hpp"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/names.hpp"
#include "common/files/files.hpp"

namespace wtpool {
namespace {

constexpr std::size_t kFileBytes = 5 * 1024 * 1024;
constexpr std::size_t kFiles = 3;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Never destroyed: threads may still log while the program ends.
struct Door {
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> logger;
};
Door& door() {
  static Door* const kDoor = new Door;
  return *kDoor;
}

std::shared_ptr<spdlog::logger> current_logger() {
  const std::lock_guard lock(door().mutex);
  return door().logger;
}

void write_to_stderr(const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void open_log(const std::filesystem::path& file, LogLevel level, bool also_stderr) {
  make_directories(file.parent_path(), 0700);
  try {
    std::vector<spdlog::sink_ptr> sinks;
    sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), kFileBytes, kFiles));
    if (also_stderr) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    auto logger = std::make_shared<spdlog::logger>("wtpool", sinks.begin(), sinks.end());
    logger->set_level(level_of(level));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::debug);
    const std::lock_guard lock(door().mutex);
    door().logger = std::move(logger);
  } catch (const spdlog::spdlog_ex& failure) {
    throw proto::Error(proto::ErrorKind::io_error, "cannot open the log " + printable(file.native()) + ": " + failure.what());
  }
}

bool logs(LogLevel level) {
  const auto logger = current_logger();
  return logger ? logger->should_log(level_of(level)) : level != LogLevel::debug;
}

void log(LogLevel level, std::string_view message) {
  if (const auto logger = current_logger()) {
    const auto wanted = level_of(level);
    if (logger->should_log(wanted)) logger->log(wanted, spdlog::string_view_t(printable(message)));
  } else if (level != LogLevel::debug) {
    write_to_stderr(printable(message) + "\n");
  }
}

}  // namespace wtpool
