// Clients at work on one pool, a thread each, whose daemon may die at any moment. Each knows what it was told, writes it in the
// ledger, asks again when no answer came, and is astonished by nothing that the contract allows.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <thread>

#include "tests/faults/invariants.hpp"
#include "tests/support/wire.hpp"

namespace wtpool::test {

class Crew {
 public:
  // `commits` are what is acquired, one of them each time. Nobody works before start().
  Crew(const World& world, Ledger& ledger, std::vector<std::string> commits, unsigned seed);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void start(int clients);
  void stop();  // each ends its turn first; some keep a lease
  // No client is in the middle of anything while the value lives; leases may be held. A daemon must serve, or it never comes.
  [[nodiscard]] std::unique_lock<std::shared_mutex> pause();

  struct Figures {
    std::atomic<int> acquired{0}, released{0}, refused{0}, resumed{0}, runs{0}, killed{0}, commits{0}, files{0}, asked_again{0};
  };
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] std::string told() const;  // the figures, as text
  [[nodiscard]] Violations broken() const;

 private:
  class Client;
  void broke(const std::string& what);
  [[nodiscard]] std::shared_lock<std::shared_mutex> next_turn();

  const World& world_;
  Ledger& ledger_;
  const std::vector<std::string> commits_;
  const unsigned seed_;
  Figures figures_;
  std::atomic<bool> over_{false};
  std::mutex door_;
  std::shared_mutex turn_;
  mutable std::mutex mutex_;
  Violations broken_;
  std::vector<std::thread> threads_;
};

}  // namespace wtpool::test
