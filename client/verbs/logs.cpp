// logs: what the daemon's log says, of one slot or NAME, of the last hours; with -f what it says from now on. Needs no daemon.
#include <poll.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>

#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/base/clock.hpp"
#include "common/files/files.hpp"
#include "proto/codec/client_json.hpp"

namespace wtpool::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLog = std::size_t{64} << 20;  // of one file; the daemon begins a new one long before that
constexpr int kLookAgain = 250;                          // milliseconds

// `2026-05-05T03:34:56.789Z info slot.acquire pool=app slot=slot-0 ...`
std::optional<proto::LogLine> parsed(const std::string& line) {
  const std::size_t level = line.find(' ');
  const std::size_t text = level == std::string::npos ? level : line.find(' ', level + 1);
  if (text == std::string::npos) return std::nullopt;
  proto::LogLine out;
  out.time = line.substr(0, level);
  out.level = line.substr(level + 1, text - level - 1);
  out.message = line.substr(text + 1);
  return out;
}

std::int64_t seconds_of(const std::string& time) {
  std::int64_t seconds = 0;
  const std::string whole = time.size() > 19 ? time.substr(0, 19) + "Z" : time;
  return parse_rfc3339(whole, seconds) ? seconds : 0;
}

// The value of a word KEY=VALUE; a quoted one without its quotes.
std::optional<std::string> value_of(const std::string& message, const std::string& key) {
  const std::string start = " " + key + "=";
  for (std::size_t at = message.find(start); at != std::string::npos; at = message.find(start, at + 1)) {
    const std::size_t from = at + start.size();
    if (from >= message.size() || message[from] != '"') return message.substr(from, message.find(' ', from) - from);
    std::string value;
    for (std::size_t i = from + 1; i < message.size() && message[i] != '"'; ++i) {
      if (message[i] == '\\' && i + 1 < message.size()) ++i;
      value += message[i];
    }
    return value;
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(const LogsCommand& command, Context& context) : command_(command), context_(context) {
    if (command.since) {
      since_ = wall_now() - std::chrono::duration_cast<std::chrono::seconds>(*command.since).count();
    }
  }

  bool file(const fs::path& path) {
    const auto text = read_file(path, kMostLog);
    return !text || lines(*text);
  }

  // False: nobody reads any more.
  bool lines(const std::string& text) {
    std::string out;
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = text.find('\n', from);
      const std::string line = text.substr(from, end - from);
      if (const auto one = parsed(line); one && wanted(*one)) {
        out += context_.globals.json ? proto::to_json_text(*one) : line;
        out += '\n';
      }
      if (end == std::string::npos) break;
      from = end + 1;
    }
    return out.empty() || context_.output.result(out);
  }

 private:
  bool wanted(const proto::LogLine& line) const {
    if (since_ && seconds_of(line.time) < *since_) return false;
    const auto names = [&line](const char* key, const std::optional<std::string>& value) {
      return !value || value_of(line.message, key) == value;
    };
    // A line in a person's words names a slot or a pool as a word of it.
    const auto says = [&line](const std::optional<std::string>& value) {
      return value && line.message.find("='") == std::string::npos &&
             (" " + line.message + " ").find(" " + *value + " ") != std::string::npos;
    };
    return (names("slot", command_.slot) || says(command_.slot)) && (names("name", command_.name) || says(command_.name)) &&
           (!context_.globals.pool || names("pool", context_.globals.pool) ||
            line.message.find("'" + *context_.globals.pool + "'") != std::string::npos);
  }

  const LogsCommand& command_;
  Context& context_;
  std::optional<std::int64_t> since_;
};

// Of the file that stands there now: it is replaced when it is full.
int follow(const fs::path& file, Reader& reader, Context& context) {
  Interrupts interrupts;
  auto stat = lstat_of(file);
  std::size_t read = stat ? static_cast<std::size_t>(stat->st_size) : 0;
  ino_t inode = stat ? stat->st_ino : 0;
  while (true) {
    std::array<struct pollfd, 2> ready = {{{interrupts.descriptor(), POLLIN, 0}, {context.output.streams().out, 0, 0}}};
    ::poll(ready.data(), ready.size(), kLookAgain);
    interrupts.drain();
    if (interrupts.count() > 0) throw Interrupted{interrupts.last()};
    if ((ready[1].revents & (POLLERR | POLLNVAL)) != 0) return 0;
    stat = lstat_of(file);
    if (!stat) continue;
    if (stat->st_ino != inode || static_cast<std::size_t>(stat->st_size) < read) {
      inode = stat->st_ino;
      read = 0;
    }
    if (static_cast<std::size_t>(stat->st_size) == read) continue;
    const auto text = read_file(file, kMostLog);
    if (!text || text->size() <= read) continue;
    const std::size_t end = text->rfind('\n');  // the last line may be half there
    if (end == std::string::npos || end < read) continue;
    if (!reader.lines(text->substr(read, end + 1 - read))) return 0;
    read = end + 1;
  }
}

}  // namespace

int run_command(const LogsCommand& command, Context& context) {
  const fs::path file = context.paths.log_file;
  Reader reader(command, context);
  if (!lstat_of(file))
    context.output.warn("there is no log yet: no daemon has run with the state directory " + file.parent_path().string());
  // The oldest first: wtpoold.3.log, wtpoold.2.log, wtpoold.1.log, wtpoold.log.
  for (int age = 9; age > 0; --age) {
    const fs::path old = file.parent_path() / (file.stem().string() + "." + std::to_string(age) + file.extension().string());
    if (lstat_of(old) && !reader.file(old)) return 0;
  }
  if (!reader.file(file)) return 0;
  return command.follow ? follow(file, reader, context) : 0;
}

}  // namespace wtpool::client
