// Threads for jobs. The core has granted slot, writer token and class before a job comes here: the runner only runs. As many
// threads as the classes may have jobs together, made once; outcomes go to `report`, which must be safe from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <thread>

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

class JobRunner {
 public:
  JobRunner(HostFacts host, int threads, std::function<void(core::Event)> report);
  ~JobRunner();  // stops every job and waits for the threads

  void set_reserve(std::uint64_t bytes) { host_.reserve_bytes = bytes; }  // of jobs that start from now on
  void start(const core::effect::StartJob& effect);
  void stop(JobId job);
  // Work that is no job of the core's, such as the host's own checks. Runs on one of the threads.
  void run(std::function<void()> work);
  [[nodiscard]] ServedPools& pools() { return pools_; }
  [[nodiscard]] SealBook& seals() { return seals_; }

 private:
  void work();

  HostFacts host_;
  std::function<void(core::Event)> report_;
  std::unique_ptr<store::Store> store_;
  ServedPools pools_;
  SealBook seals_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::map<JobId, StopToken> stops_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace wtpool::jobs
