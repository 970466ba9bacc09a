#include "common/platform/proc_linux.hpp"

#include <dirent.h>

#include <charconv>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "common/files/files.hpp"

namespace wtpool::platform {

std::optional<ProcStat> proc_stat(std::int64_t pid) {
  if (pid <= 0) return std::nullopt;
  std::optional<std::string> text;
  try {
    text = read_file("/proc/" + std::to_string(pid) + "/stat");
  } catch (const proto::Error&) {
    return std::nullopt;  // ESRCH: it ended between open and read
  }
  if (!text) return std::nullopt;
  // The program's name stands in parentheses and may hold any byte, ')' included.
  const std::size_t name_end = text->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text->substr(name_end + 1));
  ProcStat stat;
  if (!(fields >> stat.state >> stat.parent >> stat.group)) return std::nullopt;
  constexpr int kFieldsBeforeStart = 16;  // from session (6) to itrealvalue (21)
  std::string skipped;
  for (int i = 0; i < kFieldsBeforeStart; ++i) fields >> skipped;
  if (!(fields >> stat.start)) return std::nullopt;
  return stat;
}

bool for_each_process(const std::function<bool(std::int64_t)>& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), [](DIR* d) { return d != nullptr ? ::closedir(d) : 0; });
  if (!proc) return false;
  while (const dirent* const entry = ::readdir(proc.get())) {
    const std::string_view name = entry->d_name;
    std::int64_t pid = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failure != std::errc{} || end != name.data() + name.size()) continue;
    if (!visit(pid)) break;
  }
  return true;
}

}  // namespace wtpool::platform
