#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "common/platform/child.hpp"
#include "common/process/spawn.hpp"

namespace wtpool {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAskAgain = std::chrono::milliseconds(10);
constexpr auto kStuck = std::chrono::seconds(30);   // a write without progress
constexpr auto kGoodbye = std::chrono::seconds(1);  // from the end of its stdin to its own end
constexpr auto kShortPatience = std::chrono::seconds(2);

}  // namespace

struct LineChild::Impl {
  explicit Impl(const SpawnOptions& options)
      : child(options, StdinOf::pipe),
        stop(options.stop),
        on_kill(options.on_kill),
        tail_limit(options.error_tail),
        line_limit(options.output_limit) {}

  // Waits for one of the pipes, or the stop descriptor, and takes what has come. `extra` is POLLOUT to wait for room too.
  void turn(Clock::time_point until, bool for_writing) {
    pollfd watched[5] = {};
    nfds_t count = 0;
    if (for_writing && child.input.valid()) watched[count++] = {child.input.get(), POLLOUT, 0};
    if (child.output.valid()) watched[count++] = {child.output.get(), POLLIN, 0};
    if (child.errors.valid()) watched[count++] = {child.errors.get(), POLLIN, 0};
    if (stop) watched[count++] = {stop->descriptor(), POLLIN, 0};
    if (child.exit_watch.valid()) watched[count++] = {child.exit_watch.get(), POLLIN, 0};
    ::poll(watched, count, poll_timeout(until));
    // What it wrote before its end is in the pipe; who else may have the pipe open has nothing to say.
    const bool ended = child.ended();
    take();
    if (ended) child.output.reset();
  }

  void take() {
    constexpr std::size_t kAtOnce = 1024 * 1024;
    if (received.size() < line_limit)
      read_available(child.output, kAtOnce, [&](std::string_view text) { received.append(text); });
    read_available(child.errors, kAtOnce, [&](std::string_view text) {
      tail.append(text);
      if (tail.size() > tail_limit) tail.erase(0, tail.size() - tail_limit);
    });
  }

  bool wait_for_end(Clock::duration patience) {
    const auto until = moment_after(patience);
    while (!child.ended()) {
      if (Clock::now() >= until) return false;
      pollfd watched{child.exit_watch.get(), POLLIN, 0};
      ::poll(&watched, 1, poll_timeout(child.exit_watch.valid() ? until : Clock::now() + kAskAgain));
    }
    return true;
  }

  SpawnedChild child;
  std::optional<StopToken> stop;
  std::function<void()> on_kill;
  std::size_t tail_limit;
  std::size_t line_limit;
  std::string received;
  std::size_t scanned = 0;
  std::string tail;
  bool gone = false;
};

LineChild::LineChild() = default;

std::unique_ptr<LineChild> LineChild::start(const SpawnOptions& options) {
  std::unique_ptr<LineChild> started(new LineChild);
  started->impl_ = std::make_unique<Impl>(options);
  if (options.on_start) options.on_start(started->pid());
  return started;
}

LineChild::~LineChild() {
  if (!impl_) return;
  impl_->child.input.reset();
  impl_->child.output.reset();  // it may be blocked in writing an answer that nobody wants any more
  if (impl_->wait_for_end(kGoodbye)) {
    impl_->child.reap();
    return;
  }
  impl_->child.signal_group(SIGTERM);
  if (!impl_->wait_for_end(kShortPatience)) {
    if (impl_->on_kill) impl_->on_kill();
    impl_->child.signal_group(SIGKILL);
  }
  impl_->child.reap();
}

bool LineChild::write(std::string_view text) {
  const NoSigpipe guard;
  auto stuck_at = moment_after(kStuck);
  while (!text.empty()) {
    if (impl_->gone || !impl_->child.input.valid() || Clock::now() >= stuck_at) return false;
    if (impl_->stop && impl_->stop->stop_requested()) return false;
    const ssize_t written = ::write(impl_->child.input.get(), text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      stuck_at = moment_after(kStuck);
    } else if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      // It may wait for us to read before it reads on.
      impl_->turn(stuck_at, true);
      if (!impl_->child.output.valid()) impl_->gone = true;
    } else if (written < 0 && errno != EINTR) {
      impl_->gone = true;
    }
  }
  return !impl_->gone;
}

std::optional<std::string> LineChild::read_line(Clock::duration deadline) {
  const auto until = moment_after(deadline);
  while (true) {
    const std::size_t newline = impl_->received.find('\n', impl_->scanned);
    if (newline != std::string::npos) {
      std::string line = impl_->received.substr(0, newline);
      impl_->received.erase(0, newline + 1);
      impl_->scanned = 0;
      return line;
    }
    impl_->scanned = impl_->received.size();
    if (impl_->received.size() >= impl_->line_limit) return std::nullopt;
    if (impl_->stop && impl_->stop->stop_requested()) return std::nullopt;
    if (!impl_->child.output.valid()) {
      impl_->gone = true;
      return std::nullopt;
    }
    if (Clock::now() >= until) return std::nullopt;
    impl_->turn(until, false);
  }
}

std::string LineChild::error_tail() const {
  impl_->take();
  return impl_->tail;
}

pid_t LineChild::pid() const { return impl_->child.pid(); }

}  // namespace wtpool
