#include "daemon/jobs/slot/seal_book.hpp"

namespace wtpool::jobs {

SealBook::SealBook(std::chrono::milliseconds retirement) : retirement_(retirement), closer_([this] { close_retired(); }) {}

SealBook::~SealBook() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  closer_.join();
}

void SealBook::put(const Key& key, std::unique_ptr<git::Seal> seal) {
  std::unique_ptr<git::Seal> older;
  {
    const std::lock_guard guard(mutex_);
    if (const auto found = seals_.find(key); found != seals_.end()) older = remove(found);
    // What has happened since it was made is told at once.
    poll_.add(seal->fd());
    by_fd_[seal->fd()] = key;
    seals_[key] = std::move(seal);
  }
  give_back(std::move(older));
}

std::unique_ptr<git::Seal> SealBook::remove(std::map<Key, std::unique_ptr<git::Seal>>::iterator at) {
  std::unique_ptr<git::Seal> seal = std::move(at->second);
  seals_.erase(at);
  by_fd_.erase(seal->fd());
  poll_.remove(seal->fd());
  return seal;
}

std::unique_ptr<git::Seal> SealBook::take(const Key& key) {
  const std::lock_guard guard(mutex_);
  const auto found = seals_.find(key);
  return found == seals_.end() ? nullptr : remove(found);
}

void SealBook::drop(const Key& key) { give_back(take(key)); }

void SealBook::retire(std::unique_ptr<git::Seal> seal) {
  if (!seal) return;
  {
    const std::lock_guard guard(mutex_);
    retired_.push_back(std::move(seal));
  }
  wake_.notify_one();
}

void SealBook::give_back(std::unique_ptr<git::Seal> seal) {
  if (!seal) return;
  {
    const std::lock_guard guard(mutex_);
    hurry_ = true;
  }
  retire(std::move(seal));
}

std::vector<SealBook::Key> SealBook::ended(bool every) {
  std::vector<Key> keys;
  const auto ask = [&](std::map<Key, std::unique_ptr<git::Seal>>::iterator at) {
    const auto next = std::next(at);
    if (at->second->intact()) return next;
    keys.push_back(at->first);
    retired_.push_back(remove(at));
    return next;
  };
  {
    const std::lock_guard guard(mutex_);
    if (every) {
      for (auto at = seals_.begin(); at != seals_.end();) at = ask(at);
    } else {
      for (const int fd : poll_.ready()) {
        if (const auto key = by_fd_.find(fd); key != by_fd_.end()) ask(seals_.find(key->second));
      }
    }
  }
  if (!keys.empty()) wake_.notify_one();
  return keys;
}

void SealBook::close_retired() {
  std::unique_lock guard(mutex_);
  for (;;) {
    wake_.wait(guard, [this] { return ending_ || !retired_.empty(); });
    if (retired_.empty()) return;
    wake_.wait_for(guard, retirement_, [this] { return ending_ || hurry_; });
    hurry_ = false;
    auto retired = std::move(retired_);
    retired_.clear();
    guard.unlock();
    retired.clear();
    guard.lock();
  }
}

}  // namespace wtpool::jobs
