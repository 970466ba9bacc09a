#include "daemon/jobs/slot/undo_steps.hpp"

#include <thread>

#include "common/process/run_child.hpp"
#include "daemon/jobs/slot/blame.hpp"

namespace wtpool::jobs {
namespace {

constexpr std::chrono::seconds kUndoPatience{10};  // a daemon that is told to end has twice that time
constexpr std::chrono::milliseconds kUndoAgain{100};
constexpr std::chrono::minutes kUndoTime{2};

bool may_pass(const std::exception& error) {
  const auto* known = dynamic_cast<const core::Error*>(&error);
  return known == nullptr || fault_in_upkeep(*known) == core::Fault::host_fault;
}

}  // namespace

void Steps::done(std::string what, std::function<void()> undo) { undos_.emplace_back(std::move(what), std::move(undo)); }

std::optional<std::string> Steps::roll_back() {
  const auto patient_until = std::chrono::steady_clock::now() + kUndoPatience;
  while (!undos_.empty()) {
    const auto& [what, undo] = undos_.back();
    try {
      undo();
      undos_.pop_back();
    } catch (const std::exception& error) {
      if (may_pass(error) && std::chrono::steady_clock::now() < patient_until) {
        std::this_thread::sleep_for(kUndoAgain);
        continue;
      }
      return "cannot " + what + ": " + error.what();
    }
  }
  return std::nullopt;
}

git::Git undo_git(const git::Git& git) {
  auto context = git.context();
  context.stop = StopToken();
  context.deadline = std::chrono::steady_clock::now() + kUndoTime;
  context.on_progress = nullptr;
  return {git.place(), std::move(context)};
}

JobContext undo_job(const JobContext& job) {
  JobContext undo = job;
  undo.stop = StopToken();
  undo.deadline = std::chrono::steady_clock::now() + kUndoTime;
  return undo;
}

}  // namespace wtpool::jobs
