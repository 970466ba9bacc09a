#include "daemon/jobs/run/runner.hpp"

#include <algorithm>

#include "common/base/clock.hpp"
#include "common/platform/process.hpp"
#include "daemon/jobs/run/run_job.hpp"

namespace wtpool::jobs {

JobRunner::JobRunner(HostFacts host, int threads, std::function<void(core::Event)> report)
    : host_(std::move(host)), report_(std::move(report)) {
  if (!host_.store_root.empty()) store_ = std::make_unique<store::Store>(host_.store_root, platform::boot_id());
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

JobRunner::~JobRunner() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
    queue_.clear();
    for (const auto& [job, stop] : stops_) stop.request_stop();
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void JobRunner::start(const core::effect::StartJob& effect) {
  JobContext job;
  job.grant = effect.grant;
  job.host = host_;
  job.pools = &pools_;
  job.seals = &seals_;
  job.store = store_.get();
  job.report = report_;
  if (effect.deadline) job.deadline = std::chrono::steady_clock::now() + (*effect.deadline - awake_now());
  {
    const std::lock_guard guard(mutex_);
    stops_.emplace(effect.grant.job, job.stop);
  }
  run([this, job = std::move(job), spec = effect.spec]() mutable {
    auto outcome = run_job(job, spec);
    {
      const std::lock_guard guard(mutex_);
      stops_.erase(job.grant.job);
    }
    report_(core::event::JobFinished{job.grant.job, std::move(outcome)});
  });
}

void JobRunner::stop(JobId job) {
  const std::lock_guard guard(mutex_);
  if (const auto found = stops_.find(job); found != stops_.end()) found->second.request_stop();
}

void JobRunner::run(std::function<void()> work) {
  {
    const std::lock_guard guard(mutex_);
    if (ending_) return;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void JobRunner::work() {
  for (;;) {
    std::function<void()> next;
    {
      std::unique_lock guard(mutex_);
      wake_.wait(guard, [this] { return ending_ || !queue_.empty(); });
      if (ending_) return;
      next = std::move(queue_.front());
      queue_.pop_front();
    }
    next();
  }
}

}  // namespace wtpool::jobs
