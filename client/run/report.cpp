#include "client/run/report.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/files/fd.hpp"
#include "proto/codec/client_json.hpp"

namespace wtpool::client {
namespace {

using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point moment) {
  return std::chrono::duration<double>(steady_clock::now() - moment).count();
}

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), seconds < 10 ? "%.2f s" : "%.0f s", seconds);
  return text.data();
}

std::string way_of(const proto::RunStats& stats) {
  return stats.fresh ? "new, cold" : stats.reused_commit ? "warm, at this commit" : "warm";
}

bool write_to(const std::string& file, int flags, std::string_view text) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644));
  while (fd.valid() && !text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n > 0)
      text.remove_prefix(static_cast<std::size_t>(n));
    else if (n == 0 || errno != EINTR)
      return false;
  }
  return fd.valid();
}

}  // namespace

std::string render_run(const proto::RunStats& stats) {
  return stats.slot + " (" + way_of(stats) + "): waited " + seconds_text(stats.waited_seconds) + ", acquired in " +
         seconds_text(stats.acquire_seconds) + ", ran " + seconds_text(stats.run_seconds) + ", exit code " +
         std::to_string(stats.exit_code);
}

std::string render_run_summary(const proto::RunStats& stats) {
  return "| slot | state | waited | acquired in | ran | exit code |\n|---|---|---|---|---|---|\n| " + stats.slot + " | " +
         way_of(stats) + " | " + seconds_text(stats.waited_seconds) + " | " + seconds_text(stats.acquire_seconds) + " | " +
         seconds_text(stats.run_seconds) + " | " + std::to_string(stats.exit_code) + " |\n";
}

RunReport::RunReport(const RunCommand& command, Context& context)
    : command_(command), context_(context), asked_at_(steady_clock::now()), runs_from_(asked_at_) {}

void RunReport::acquired(const proto::AcquireResult& lease) {
  stats_.pool = lease.pool;
  stats_.slot = lease.slot;
  stats_.name = lease.name;
  stats_.full_sha = lease.full_sha;
  stats_.fresh = lease.fresh;
  stats_.reused_commit = lease.reused_commit;
  stats_.waited_seconds = lease.waited_seconds;
  stats_.acquire_seconds = seconds_since(asked_at_);
  runs_from_ = steady_clock::now();
}

void RunReport::ended(int exit_code) {
  if (!command_.stats && !command_.stats_file) return;
  stats_.run_seconds = seconds_since(runs_from_);
  stats_.exit_code = exit_code;
  const std::string json = proto::to_json_text(stats_);
  const auto write = [this](const std::string& file, int flags, const std::string& text) {
    if (!write_to(file, flags, text)) context_.output.warn("cannot write " + file + ": " + std::strerror(errno));
  };
  if (command_.stats_file) write(*command_.stats_file, O_TRUNC, json + "\n");
  if (!command_.stats) return;
  if (context_.globals.json)
    context_.output.lines(json + "\n");
  else
    context_.output.say(render_run(stats_));
  if (const char* summary = std::getenv("GITHUB_STEP_SUMMARY"); summary && *summary)
    write(summary, O_APPEND, render_run_summary(stats_));
}

}  // namespace wtpool::client
