// A lease while something runs under it: the news of it, and its connection, which is made again when the daemon went away. A
// connection lease (`run`) ends with that; a durable one (`go`) is only attached to. The main thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {

class Holding {
 public:
  Holding(Opened opened, proto::AcquireResult lease, Context& context, Interrupts& interrupts);

  // The lease stays, and the daemon knows what runs under it. Throws what keeps it from that.
  void confirm(std::int64_t group);
  // Instead: a durable lease stays, and this connection is a session of it. What the pool has set for a session to run, if
  // anything. Whatever becomes of the lease or the daemon, what runs goes on.
  [[nodiscard]] std::optional<std::string> attach(bool keep);
  // Descriptor to poll for; -1 while there is no daemon.
  [[nodiscard]] int descriptor() const;
  // Reads what came, or tries to get back to the daemon. Why the lease is over, once it is.
  [[nodiscard]] std::optional<std::string> look(bool readable);
  [[nodiscard]] bool connected() const { return opened_.has_value(); }
  // The slot becomes its group's template. Throws what keeps it from that.
  void freeze(const proto::TemplateMakeParams& params);
  // Why the lease was over already, if it was. Throws what keeps it from that; waits for a daemon that comes back.
  [[nodiscard]] std::optional<std::string> release();

 private:
  using Moment = std::chrono::steady_clock::time_point;
  template <class R>
  [[nodiscard]] R call(const proto::Params& params);
  void subscribe();
  void lose();
  [[nodiscard]] std::optional<std::string> come_back();
  [[nodiscard]] std::optional<std::string> read_news();

  std::optional<Opened> opened_;
  proto::AcquireResult lease_;
  Context& context_;
  Interrupts& interrupts_;
  std::int64_t group_ = 0;
  Moment back_until_{};
  Moment try_at_{};
  std::string lost_because_;
  bool gone_ = false;  // the daemon knows no such lease
  std::optional<proto::AttachParams> attached_;
};

// How long the daemon keeps a connection lease whose client has not come back yet.
inline constexpr std::chrono::seconds kComeBack{30};
inline constexpr std::chrono::milliseconds kTryAgain{100};
// What a daemon that is there cannot do, it will not be able to do in a moment either.
inline constexpr std::chrono::seconds kTryLater{1};

}  // namespace wtpool::client
