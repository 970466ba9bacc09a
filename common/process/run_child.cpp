#include "common/process/run_child.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/platform/child.hpp"
#include "common/process/spawn.hpp"

namespace wtpool {
namespace {

using Clock = std::chrono::steady_clock;

// Where no descriptor tells that something has ended, it is asked this often.
constexpr auto kAskAgain = std::chrono::milliseconds(10);
// What is taken from a pipe after the child ended: no more than a pipe can hold, or a grandchild that goes on writing would
// keep us here.
constexpr std::size_t kRest = 1024 * 1024;

class ChildRun {
 public:
  explicit ChildRun(const SpawnOptions& options)
      : options_(options),
        deadline_(moment_after(options.deadline)),
        child_(options, options.input.empty() ? StdinOf::null_device : StdinOf::pipe),
        input_left_(options.input) {}

  ChildResult run() {
    if (options_.on_start) options_.on_start(child_.pid());
    while (!finished()) turn();
    read_output(kRest);
    read_errors(kRest);
    note_end(child_.reap());
    return std::move(result_);
  }

 private:
  enum class Phase { running, terminating, killed };

  // A child that ended by itself is all that is waited for. One that was told to end is waited for with its whole group: a
  // git below it may still hold locks that it cleans up after SIGTERM.
  bool finished() {
    if (!child_.ended()) return false;
    if (phase_ == Phase::running) return true;
    if (phase_ == Phase::terminating) return !platform::group_runs(child_.pid());
    return true;
  }

  void turn() {
    std::array<pollfd, 5> watched{};
    nfds_t count = 0;
    const auto watch = [&](int fd, short events) {
      watched[count].fd = fd;
      watched[count++].events = events;
    };
    if (child_.input.valid()) watch(child_.input.get(), POLLOUT);
    if (child_.output.valid()) watch(child_.output.get(), POLLIN);
    if (child_.errors.valid()) watch(child_.errors.get(), POLLIN);
    if (phase_ == Phase::running && options_.stop) watch(options_.stop->descriptor(), POLLIN);
    const bool exit_is_watched = phase_ == Phase::running && child_.exit_watch.valid();
    if (exit_is_watched) watch(child_.exit_watch.get(), POLLIN);

    auto wake = phase_ == Phase::running ? deadline_ : kill_at_;
    if (!exit_is_watched) wake = std::min(wake, Clock::now() + kAskAgain);
    ::poll(watched.data(), count, poll_timeout(wake));

    write_input();
    read_output(kRest);
    read_errors(kRest);
    decide();
  }

  void decide() {
    if (phase_ == Phase::running) {
      if (child_.ended()) return;
      if (options_.stop && options_.stop->stop_requested())
        terminate(ChildEnd::stopped);
      else if (Clock::now() >= deadline_)
        terminate(ChildEnd::timed_out);
      else if (overflowed_)
        terminate(ChildEnd::too_much_output);
    } else if (phase_ == Phase::terminating && Clock::now() >= kill_at_) {
      if (options_.on_kill) options_.on_kill();
      child_.signal_group(SIGKILL);
      phase_ = Phase::killed;
    }
  }

  void terminate(ChildEnd why) {
    result_.end = why;
    phase_ = Phase::terminating;
    kill_at_ = moment_after(options_.patience);
    child_.signal_group(SIGTERM);
    // A stopped process takes no signal but SIGKILL until it goes on.
    child_.signal_group(SIGCONT);
    child_.input.reset();
  }

  void write_input() {
    if (!child_.input.valid()) return;
    const NoSigpipe guard;
    while (!input_left_.empty()) {
      const ssize_t written = ::write(child_.input.get(), input_left_.data(), input_left_.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (written < 0) break;  // it does not read any more: its own exit code says whether that is an error
      input_left_.remove_prefix(static_cast<std::size_t>(written));
    }
    child_.input.reset();
  }

  void read_output(std::size_t limit) {
    read_available(child_.output, limit, [&](std::string_view text) {
      const std::size_t room = options_.output_limit - result_.output.size();
      if (text.size() > room) overflowed_ = true;
      result_.output.append(text.substr(0, room));
    });
  }

  void read_errors(std::size_t limit) {
    read_available(child_.errors, limit, [&](std::string_view text) {
      if (options_.on_error_text) options_.on_error_text(text);
      result_.error_tail.append(text);
      if (result_.error_tail.size() > options_.error_tail)
        result_.error_tail.erase(0, result_.error_tail.size() - options_.error_tail);
    });
  }

  void note_end(int status) {
    if (WIFSIGNALED(status)) {
      result_.signal = WTERMSIG(status);
      result_.exit_code = 128 + result_.signal;
      if (result_.end == ChildEnd::exited) result_.end = ChildEnd::signalled;
    } else {
      result_.exit_code = WEXITSTATUS(status);
    }
    if (result_.end == ChildEnd::exited && overflowed_) result_.end = ChildEnd::too_much_output;
  }

  const SpawnOptions& options_;
  Clock::time_point deadline_;
  Clock::time_point kill_at_{};
  SpawnedChild child_;
  std::string_view input_left_;
  Phase phase_ = Phase::running;
  bool overflowed_ = false;
  ChildResult result_;
};

}  // namespace

ChildResult run_child(const SpawnOptions& options) { return ChildRun(options).run(); }

}  // namespace wtpool
