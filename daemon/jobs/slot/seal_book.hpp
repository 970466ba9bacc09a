// The seals of this daemon's idle slots. Jobs put them in and take them out, the loop asks which have ended. Giving a watch
// back costs the system milliseconds: a thread of its own does it, a moment later, so that nobody waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "common/platform/poll_set.hpp"
#include "daemon/git/seal/seal.hpp"
#include "proto/ids.hpp"

namespace wtpool::jobs {

// Any thread, except where it says the loop's.
class SealBook {
 public:
  using Key = std::pair<PoolKey, SlotId>;

  // `retirement`: how long a seal that was used stays open. What the system does to give thousands of watches back can wait
  // until the acquire that used them is over.
  explicit SealBook(std::chrono::milliseconds retirement = std::chrono::milliseconds(300));
  ~SealBook();
  SealBook(const SealBook&) = delete;
  SealBook& operator=(const SealBook&) = delete;

  // In place of an older one of that slot.
  void put(const Key& key, std::unique_ptr<git::Seal> seal);
  // Out of the book, whether it still holds or not; null when there is none. Given back with `retire`.
  [[nodiscard]] std::unique_ptr<git::Seal> take(const Key& key);
  void drop(const Key& key);
  // Closes it when its retirement is over. Null is fine.
  void retire(std::unique_ptr<git::Seal> seal);
  // Closes it as soon as may be: the system's limits count its watches as long as it is open.
  void give_back(std::unique_ptr<git::Seal> seal);

  // Readable when a seal in the book may have ended.
  [[nodiscard]] int fd() const { return poll_.fd(); }
  // Those that have ended, by an event or by a changed stat of a file of theirs; they are out of the book. Asks only those that
  // the system tells of, unless `every`. The loop's thread.
  [[nodiscard]] std::vector<Key> ended(bool every = false);

 private:
  std::unique_ptr<git::Seal> remove(std::map<Key, std::unique_ptr<git::Seal>>::iterator at);
  void close_retired();

  std::chrono::milliseconds retirement_;
  platform::PollSet poll_;
  std::mutex mutex_;
  std::map<Key, std::unique_ptr<git::Seal>> seals_;
  std::map<int, Key> by_fd_;
  std::vector<std::unique_ptr<git::Seal>> retired_;
  std::condition_variable wake_;
  bool hurry_ = false;  // some of the retired are to be closed at once
  bool ending_ = false;
  std::thread closer_;
};

}  // namespace wtpool::jobs
