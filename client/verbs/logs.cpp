// logs: what the daemon's log says, of one slot or NAME, of the last hours; with -f what it says from now on. Needs no daemon.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"
#include "common/base/clock.hpp"
#include "common/files/fd.hpp"
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

// The log's file, read once from its beginning to wherever it ends now, whole lines at a time. It keeps the file that it has
// open: one that was full is read to its end before the next is begun.
class Tail {
 public:
  explicit Tail(fs::path path) : path_(std::move(path)) {}

  // False: nobody reads any more.
  bool go_on(Reader& reader) {
    while (true) {
      if (!file_.valid()) file_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
      if (!file_.valid()) return true;
      if (!read_on(reader)) return false;
      struct stat ours {};
      const auto there = lstat_of(path_);
      if (::fstat(file_.get(), &ours) != 0 || !there || there->st_ino == ours.st_ino) return true;
      if (!read_on(reader)) return false;  // what came between the last look and its end
      file_ = Fd();
      rest_.clear();
    }
  }

 private:
  bool read_on(Reader& reader) {
    std::array<char, 65536> buffer{};
    while (true) {
      const ssize_t got = ::read(file_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return true;
      rest_.append(buffer.data(), static_cast<std::size_t>(got));
      const std::size_t end = rest_.rfind('\n');
      if (end == std::string::npos) continue;
      if (!reader.lines(rest_.substr(0, end + 1))) return false;
      rest_.erase(0, end + 1);
    }
  }

  fs::path path_;
  Fd file_;
  std::string rest_;  // the last line may be half there
};

int follow(Tail& tail, Reader& reader, Context& context) {
  Interrupts interrupts;
  while (true) {
    std::array<struct pollfd, 2> ready = {{{interrupts.descriptor(), POLLIN, 0}, {context.output.streams().out, 0, 0}}};
    ::poll(ready.data(), ready.size(), kLookAgain);
    interrupts.drain();
    if (interrupts.count() > 0) throw Interrupted{interrupts.last()};
    if ((ready[1].revents & (POLLERR | POLLNVAL)) != 0) return 0;
    if (!tail.go_on(reader)) return 0;
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
  Tail tail(file);
  if (!tail.go_on(reader)) return 0;
  return command.follow ? follow(tail, reader, context) : 0;
}

}  // namespace wtpool::client
