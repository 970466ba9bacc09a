// A connection that keeps the books: what was asked on it is answered exactly once, whatever else comes.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "tests/faults/invariants.hpp"
#include "tests/support/wire.hpp"

namespace wtpool::test {

// Of all clients of a run. Any thread.
struct Books {
  std::atomic<int> connections{0}, turned_away{0}, requests{0}, answers{0}, given_up{0};  // given up: closed before the answer
  std::atomic<int> acquires{0}, cancelled{0}, half_closed{0}, killed{0}, watched{0}, timed_out{0};
  std::mutex mutex;
  std::set<std::string> survivors;  // names whose acquire was not given up
  Violations broken;

  void broke(const std::string& what);
  void survived(const std::string& name);
};

class AccountedWire {
 public:
  AccountedWire(const fs::path& socket, Books& books);
  ~AccountedWire();  // what was not answered yet is given up
  AccountedWire(const AccountedWire&) = delete;
  AccountedWire& operator=(const AccountedWire&) = delete;

  // False when the daemon has no room for one more connection and closed it.
  [[nodiscard]] bool greeted();
  int ask(const std::string& method, const nlohmann::json& params = nlohmann::json::object());
  void cancel(int id);
  void half_close() { wire_.half_close(); }
  // The answer to `id`, as the daemon sent it; null, and a violation, when none came.
  nlohmann::json answer(int id);
  // Nothing is open any more and nothing more was said to what was answered before.
  void settle();
  // After a half-close and the last answer: the daemon hangs up.
  void expect_end();

 private:
  bool take_one();
  Wire wire_;
  Books& books_;
  int last_id_ = 0;
  std::set<int> open_;
  std::map<int, nlohmann::json> answers_;
};

}  // namespace wtpool::test
