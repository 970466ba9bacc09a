#include "daemon/core/state/fetch_line.hpp"

#include <algorithm>
#include <utility>

namespace wtpool::core {

void FetchLine::ask(RequestId who, const Wants& wants, bool settled) { next_.push_back({who, wants, settled && runs_}); }

Wants FetchLine::start() {
  runs_ = true;
  running_ = Wants{{}, std::exchange(all_wanted_, false)};
  served_.clear();
  for (const Asker& asker : std::exchange(next_, {})) {
    running_.add(asker.wants);
    served_.push_back(asker.who);
  }
  return running_;
}

FetchLine::Ended FetchLine::ended(bool failed) {
  runs_ = false;
  running_ = {};
  Ended over{std::exchange(served_, {}), {}};
  for (Asker& asker : next_) {
    if (!std::exchange(asker.settled, false) || failed) continue;
    looking_.insert(asker.who);
    over.look.push_back(asker.who);
  }
  return over;
}

void FetchLine::looked(RequestId who, bool found) {
  looking_.erase(who);
  if (found) leave(who);
}

void FetchLine::leave(RequestId who) {
  looking_.erase(who);
  std::erase(served_, who);
  std::erase_if(next_, [&](const Asker& asker) { return asker.who == who; });
}

bool FetchLine::waits(RequestId who) const {
  const auto all = waiting();
  return std::ranges::find(all, who) != all.end();
}

std::vector<RequestId> FetchLine::waiting() const {
  std::vector<RequestId> all = served_;
  for (const Asker& asker : next_) all.push_back(asker.who);
  return all;
}

}  // namespace wtpool::core
