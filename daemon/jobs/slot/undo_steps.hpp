// Steps beside their undo.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// What was done, in order, each beside what takes it back. Unless committed, `roll_back` runs the undos last first; one that
// fails for want of what others may give back is run again for a while. One that fails for good is the last: what is left
// then is what a kill at that moment leaves, which a recovery knows.
class Steps {
 public:
  void done(std::string what, std::function<void()> undo);
  void commit() { undos_.clear(); }
  [[nodiscard]] bool empty() const { return undos_.empty(); }
  // What could not be taken back, and why, as a clause; nothing when all was.
  [[nodiscard]] std::optional<std::string> roll_back();

 private:
  std::vector<std::pair<std::string, std::function<void()>>> undos_;
};

// For what takes something back: it runs though the job was told to stop, and has a time of its own.
[[nodiscard]] git::Git undo_git(const git::Git& git);

[[nodiscard]] JobContext undo_job(const JobContext& job);

}  // namespace wtpool::jobs
