// The fetches of one source: one runs, the next one collects who asks meanwhile. Nobody is answered by a fetch that began
// before he asked, since the remote may have had something newer by then; at most two fetches serve all who ask within one.
#pragma once

#include <set>
#include <vector>

#include "daemon/core/state/wants.hpp"
#include "proto/ids.hpp"

namespace wtpool::core {

class FetchLine {
 public:
  // `settled`: what he wants cannot become outdated (an id), so that the fetch that runs already may bring it.
  void ask(RequestId who, const Wants& wants, bool settled);
  // Nobody asks, and nobody waits: it is time that all branches are fetched.
  void ask_for_all() { all_wanted_ = true; }

  // Somebody waits, none runs, and nobody is looking whether the last one brought what he wants.
  [[nodiscard]] bool may_start() const { return !runs_ && looking_.empty() && (!next_.empty() || all_wanted_); }
  // The next one runs from now on, with what all who wait for it want.
  Wants start();

  struct Ended {
    std::vector<RequestId> served;  // theirs is over
    std::vector<RequestId> look;    // each looks whether what he wants is there, and says so with `looked`
  };
  // In the order of asking. After one that failed nobody need look.
  Ended ended(bool failed);
  // Found: he leaves. Else he waits for the next one, and does not look again.
  void looked(RequestId who, bool found);
  // He does not want it any more; where he did not wait, nothing happens.
  void leave(RequestId who);

  [[nodiscard]] bool waits(RequestId who) const;
  [[nodiscard]] bool runs() const { return runs_; }
  [[nodiscard]] std::vector<RequestId> waiting() const;  // for the one that runs and for the next
  [[nodiscard]] const std::vector<RequestId>& served_by_running() const { return served_; }
  [[nodiscard]] const Wants& running() const { return running_; }

 private:
  struct Asker {
    RequestId who;
    Wants wants;
    bool settled = false;
  };
  bool runs_ = false;
  Wants running_;
  std::vector<RequestId> served_;
  std::vector<Asker> next_;
  bool all_wanted_ = false;
  std::set<RequestId> looking_;
};

}  // namespace wtpool::core
