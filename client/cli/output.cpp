#include "client/cli/output.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "client/cli/render.hpp"
#include "common/base/names.hpp"
#include "proto/codec/client_json.hpp"

namespace wtpool::client {
namespace {

constexpr std::string_view kEraseLine = "\r\033[K";

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {  // somebody made the terminal or pipe non-blocking
      struct pollfd ready = {fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (n < 0 && errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::size_t columns_of(int fd) {
  struct winsize size = {};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return 80;
}

}  // namespace

Output::Output(Streams streams, Loudness loudness, bool json_errors)
    : streams_(streams), loudness_(loudness), json_errors_(json_errors), terminal_(::isatty(streams.err) == 1) {}

bool Output::result(std::string_view text) {
  end_wait();
  return write_all(streams_.out, text);
}

void Output::write_err(std::string_view text) {
  std::string whole;
  if (line_shown_) whole = kEraseLine;
  line_shown_ = false;
  whole += text;
  static_cast<void>(write_all(streams_.err, whole));  // there is nowhere left to say that stderr is gone
}

void Output::say(std::string_view line) { write_err("wtpool: " + printable(line) + "\n"); }

void Output::warn(std::string_view line) {
  if (loudness_ != Loudness::quiet) say("warning: " + std::string(line));
}

void Output::error(const proto::Error& error) {
  if (streams_.error != nullptr) *streams_.error = error;
  end_wait();
  write_err(json_errors_ ? proto::to_json_text(error) + "\n" : render_error(error));
}

void Output::lines(std::string_view text) { write_err(text); }

bool Output::wants_progress() const { return loudness_ == Loudness::verbose || (terminal_ && loudness_ == Loudness::normal); }

void Output::begin_wait() {
  show_from_ = std::chrono::steady_clock::now() + kPatience;
  pending_.reset();
}

void Output::note(const proto::Notification& notification) {
  if (const auto* warning = std::get_if<proto::Warning>(&notification)) {
    warn(warning->message);
  } else if (const auto* progress = std::get_if<proto::Progress>(&notification)) {
    if (loudness_ == Loudness::verbose && progress->message) write_err(printable(*progress->message) + "\n");
    if (terminal_ && wants_progress()) pending_ = render_progress(*progress);
  }
}

std::optional<std::chrono::steady_clock::time_point> Output::due() const {
  if (!pending_) return std::nullopt;
  return show_from_;
}

void Output::show_progress() {
  if (!pending_ || std::chrono::steady_clock::now() < show_from_) return;
  std::string line = "wtpool: " + *pending_;
  pending_.reset();
  if (const std::size_t room = columns_of(streams_.err) - 1; line.size() > room) line.resize(room);
  static_cast<void>(write_all(streams_.err, std::string(kEraseLine) + line));
  line_shown_ = true;
}

void Output::end_wait() {
  pending_.reset();
  if (line_shown_) write_err("");
}

}  // namespace wtpool::client
