// What the daemon says of its changes, in its order, and whether its queue was a queue by it.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/wire.hpp"

namespace wtpool::test {

struct Event {
  std::int64_t seq = 0;
  std::string type, slot, name;
  std::int64_t ticket = 0;
};

// Listens from its making to its end, in a thread of its own.
class Events {
 public:
  explicit Events(const fs::path& socket, const std::string& pool = "app");
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  [[nodiscard]] bool saw(const std::string& type, const std::string& name) const;
  [[nodiscard]] std::vector<Event> all() const;
  [[nodiscard]] std::int64_t dropped() const { return dropped_; }

 private:
  void take(const nlohmann::json& line);
  Wire wire_;
  std::thread reader_;
  std::atomic<bool> over_{false};
  std::atomic<std::int64_t> dropped_{0};
  mutable std::mutex mutex_;
  std::vector<Event> events_;
  std::set<std::string> seen_;
};

struct QueueReport {
  int served = 0;                   // of the survivors, from the queue
  std::vector<std::string> broken;  // a sentence each
};
// Whoever was served had the lowest ticket of all who waited then. One that did not survive may leave whenever it likes.
[[nodiscard]] QueueReport judge_queue(const std::vector<Event>& events, const std::set<std::string>& survivors);

}  // namespace wtpool::test
