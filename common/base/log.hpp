// The log door: the only way to the log, so that the library behind it is in one file. Any thread; lines before open_log go
// to stderr. User-supplied text is escaped: a line of the log is one line.
#pragma once

#include <filesystem>
#include <string_view>

namespace wtpool {

enum class LogLevel { debug, info, warn, error };

void open_log(const std::filesystem::path& file, LogLevel level, bool also_stderr);
[[nodiscard]] bool logs(LogLevel level);  // so that what costs something is only made for who reads it
void log(LogLevel level, std::string_view message);
inline void log_debug(std::string_view m) { log(LogLevel::debug, m); }
inline void log_info(std::string_view m) { log(LogLevel::info, m); }
inline void log_warn(std::string_view m) { log(LogLevel::warn, m); }
inline void log_error(std::string_view m) { log(LogLevel::error, m); }

}  // namespace wtpool
