#include "client/daemon/connection.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/files/files.hpp"
#include "common/host_paths.hpp"
#include "common/platform/peer.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::client {
namespace {

using namespace std::chrono_literals;
using proto::Error;
using proto::ErrorKind;
using std::chrono::steady_clock;

constexpr auto kConnectLimit = 10s;
constexpr auto kHelloLimit = 10s;
constexpr auto kWriteLimit = 30s;
// Reports of large pools exceed what the daemon takes from us in one line (proto::kMaxFrame), but not this.
constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;

int milliseconds_until(std::optional<steady_clock::time_point> moment) {
  if (!moment) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*moment - steady_clock::now()).count();
  return left < 0 ? 0 : left > 3'600'000 ? 3'600'000 : static_cast<int>(left);
}

std::optional<steady_clock::time_point> earlier(std::optional<steady_clock::time_point> a,
                                                std::optional<steady_clock::time_point> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

Error refused(const std::filesystem::path& what, const std::string& why, const std::string& hint = {}) {
  return {ErrorKind::permission_denied, "cannot talk to the daemon through " + what.string() + ": " + why, hint};
}

void check_directory(const std::filesystem::path& directory) {
  const auto entry = lstat_of(directory);
  if (!entry) return;  // then nobody listens there
  if (S_ISLNK(entry->st_mode)) throw refused(directory, "the socket's directory is a symbolic link");
  if (!S_ISDIR(entry->st_mode)) throw refused(directory, "it is not a directory");
  if (entry->st_uid != ::geteuid()) throw refused(directory, "the socket's directory belongs to another user");
  if ((entry->st_mode & 077) != 0) {
    // Only a directory that is there for the socket alone is to be closed: not /tmp, and no repository.
    const bool own = directory.filename().string().ends_with("wtpool");
    throw refused(directory, "the socket's directory is open to other users",
                  own ? "chmod 700 " + proto::shell_word(directory.string())
                      : "choose a directory of its own, with mode 0700, for the socket");
  }
}

void set_non_blocking(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

}  // namespace

std::optional<Fd> connect_to(const std::filesystem::path& path) {
  check_socket_path(path);
  check_directory(path.parent_path());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (!socket.valid()) throw io_error("cannot make a socket for", path, errno);
  set_non_blocking(socket.get());
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const auto end = steady_clock::now() + kConnectLimit;
  while (::connect(socket.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address) != 0) {
    const int why = errno;
    if (why == ENOENT || why == ENOTDIR || why == ECONNREFUSED) return std::nullopt;
    if (why == EISCONN) break;
    // its queue of connections is full: it will come to us
    if ((why == EAGAIN || why == EINTR || why == EINPROGRESS || why == EALREADY) && steady_clock::now() < end) {
      ::poll(nullptr, 0, 5);
      continue;
    }
    throw Error(ErrorKind::unreachable, "cannot reach the daemon at " + path.string() + ": " + std::strerror(why));
  }
  const auto peer = platform::peer_of(socket.get());
  if (!peer || (peer->uid != ::geteuid() && peer->uid != 0)) {
    throw refused(path, "what listens there is not this user's");
  }
  if (platform::is_gone(*peer)) return std::nullopt;
  return socket;
}

Connection::Connection(Fd socket, std::filesystem::path where) : socket_(std::move(socket)), where_(std::move(where)) {
  set_non_blocking(socket_.get());
}

Error Connection::lost(std::string_view why) const {
  return {ErrorKind::unreachable, "lost the daemon at " + where_.string() + ": " + std::string(why), "wtpool doctor"};
}

std::optional<std::int64_t> Connection::peer_pid() const {
  const auto peer = platform::peer_of(socket_.get());
  if (!peer || !peer->pid) return std::nullopt;
  return *peer->pid;
}

void Connection::write_line(std::string line) {
  line += '\n';
  std::string_view rest = line;
  const auto end = steady_clock::now() + kWriteLimit;
  while (!rest.empty()) {
    const ssize_t n = ::write(socket_.get(), rest.data(), rest.size());
    if (n > 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      struct pollfd ready = {socket_.get(), POLLOUT, 0};
      if (steady_clock::now() >= end) throw lost("it takes no requests");
      ::poll(&ready, 1, milliseconds_until(end));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return;  // it may have said why before it closed: reading tells
    } else if (errno != EINTR) {
      throw lost(std::strerror(errno));
    }
  }
}

bool Connection::fill() {
  std::array<char, 65536> chunk;
  const ssize_t n = ::read(socket_.get(), chunk.data(), chunk.size());
  if (n > 0) {
    buffer_.append(chunk.data(), static_cast<std::size_t>(n));
    if (buffer_.size() > kMaxAnswer) throw lost("its answer is larger than any can be");
    return true;
  }
  return n < 0 && (errno == EAGAIN || errno == EINTR);
}

std::optional<std::string> Connection::take_line() {
  const std::size_t end = buffer_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  scanned_ = 0;
  return line;
}

std::optional<Answer> Connection::take_answer(std::int64_t id, Output* output) {
  while (auto line = take_line()) {
    if (line->empty()) continue;
    std::optional<std::variant<proto::AnswerFrame, proto::NoteFrame>> frame;
    try {
      frame = proto::decode_daemon_frame(*line);
    } catch (const Error& error) {
      if (error.kind == ErrorKind::unknown_method) continue;  // a newer daemon's notification
      throw lost("what it sends is not the protocol (" + error.message + ")");
    }
    if (auto* note = std::get_if<proto::NoteFrame>(&*frame)) {
      take_note(std::move(note->note), output);
      continue;
    }
    auto& frame_answer = std::get<proto::AnswerFrame>(*frame);
    auto* error = std::get_if<Error>(&frame_answer.outcome);
    const auto* answered = std::get_if<std::int64_t>(&frame_answer.id);
    // An error without an id is about the connection as a whole; an answer to an earlier request nobody waits for any more.
    if (answered ? *answered != id : !error) continue;
    Answer answer;
    if (error) {
      answer.error = std::move(*error);
    } else {
      answer.result = std::move(std::get<std::string>(frame_answer.outcome));
    }
    return answer;
  }
  return std::nullopt;
}

void Connection::take_note(proto::Notification note, Output* output) {
  if (auto* event = std::get_if<proto::EventNote>(&note)) {
    events_.push_back(std::move(*event));
  } else if (auto* candidate = std::get_if<proto::CandidateNote>(&note)) {
    candidates_.push_back(std::move(*candidate));
  } else if (output) {
    output->note(note);
  }
}

void Connection::receive() {
  if (!fill()) throw lost("it closed the connection");
}

std::optional<proto::EventNote> Connection::next_event() {
  // no answer is waited for, but an error about the connection as a whole is one
  if (const auto answer = take_answer(-1, nullptr); answer && answer->error) throw *answer->error;
  if (events_.empty()) return std::nullopt;
  proto::EventNote event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::int64_t Connection::send(const proto::Params& params) {
  write_line(proto::encode_request(++last_id_, params));
  return last_id_;
}

void Connection::cancel(std::int64_t id) { write_line(proto::encode_cancel(id)); }

std::optional<Answer> Connection::next_answer(std::int64_t id, Output& output) { return take_answer(id, &output); }

std::optional<proto::CandidateNote> Connection::next_candidate() {
  if (candidates_.empty()) return std::nullopt;
  proto::CandidateNote candidate = std::move(candidates_.front());
  candidates_.pop_front();
  return candidate;
}

bool Connection::hello(const std::optional<std::filesystem::path>& root) {
  proto::HelloParams params;
  params.client = "wtpool/" WTPOOL_VERSION;
  if (root) params.root = root->string();
  static_cast<void>(send(params));
  const auto end = steady_clock::now() + kHelloLimit;
  while (true) {
    if (auto answer = take_answer(last_id_, nullptr)) {
      if (answer->error) throw *answer->error;
      return true;
    }
    if (steady_clock::now() >= end) {
      throw Error(ErrorKind::unreachable, "cannot reach the daemon at " + where_.string() + ": it does not answer",
                  "wtpool daemon restart");
    }
    struct pollfd ready = {socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, milliseconds_until(end)) > 0 && !fill()) return false;
  }
}

Answer Connection::call(const proto::Params& params, const Waiting& waiting) {
  const std::int64_t id = ++last_id_;
  const int signals_before = waiting.interrupts.count();
  bool cancel_asked = false;
  std::optional<Moment> end;
  if (waiting.limit) end = steady_clock::now() + *waiting.limit;
  waiting.output.begin_wait();
  write_line(proto::encode_request(id, params));
  while (true) {
    if (auto answer = take_answer(id, &waiting.output)) {
      waiting.output.end_wait();
      answer->cancel_asked = cancel_asked;
      return std::move(*answer);
    }
    if (end && steady_clock::now() >= *end) {
      throw Error(ErrorKind::timed_out,
                  "cannot wait any longer for the daemon at " + where_.string() + ": no answer to " +
                      std::string(proto::method_of(params)),
                  "wtpool daemon restart");
    }
    waiting.output.show_progress();
    std::array<struct pollfd, 2> ready = {{{socket_.get(), POLLIN, 0}, {waiting.interrupts.descriptor(), POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), milliseconds_until(earlier(end, waiting.output.due()))) < 0 && errno != EINTR) {
      throw lost(std::strerror(errno));
    }
    waiting.interrupts.drain();
    const int signals = waiting.interrupts.count() - signals_before;
    if (signals > 1) throw Interrupted{waiting.interrupts.last()};
    if (signals == 1 && !cancel_asked && waiting.on_signal == OnSignal::cancel) {
      cancel_asked = true;
      write_line(proto::encode_cancel(id));
    }
    if (ready[0].revents != 0 && !fill()) throw lost("it ended before it answered");
  }
}

bool Connection::wait_for_close(std::chrono::milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  while (fill()) {
    buffer_.clear();
    scanned_ = 0;
    if (steady_clock::now() >= end) return false;
    struct pollfd ready = {socket_.get(), POLLIN, 0};
    ::poll(&ready, 1, milliseconds_until(end));
  }
  return true;
}

}  // namespace wtpool::client
