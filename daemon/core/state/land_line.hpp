// The line of one target: who lands on it, in which order, on top of whom. Pure: what happened goes in, what is to be done
// comes out of `next`. Up to `train` landings are made and tested at once, each on the candidate of the one before it. Rules,
// which the model test holds it to:
//   what is moved to is the candidate that passed, by its id, and its base is the target;
//   a failure is final only when its base is the target, so that nobody is refused for somebody who is before him;
//   nobody lands out of order; whoever leaves holds up nobody.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "daemon/core/state/values.hpp"

namespace wtpool::core {

struct LandEntry {
  enum class Step {
    waiting,  // for the one before it, or for its place among those that are made
    making,   // a job makes its candidate
    testing,  // its client was told of the candidate
    passed,   // may land, once all before it have
    failed,   // `failure` says why; final when its base is the target
    moving,   // the target moves to it, or has: never taken back
  };
  RequestId request;
  bool tests = false;
  Step step = Step::waiting;
  std::uint64_t version = 0;  // of what is asked for: answers to an earlier question do not count
  Oid base;                   // what the candidate was made on
  Oid candidate;              // its base where there is nothing to land
  bool nothing = false;
  bool tested = false;  // the candidate passed a test
  bool left = false;    // its client is gone; it moves all the same
  int tries = 1;        // lost to somebody outside of the line: one more
  std::optional<Error> failure;
};

struct LandLine {
  static constexpr int kTries = 5;

  Oid at;  // where the target stands, as far as is known
  std::uint64_t next_version = 1;
  std::vector<LandEntry> entries;

  // What happened. Unknown requests and old versions are passed over.
  void enter(RequestId request, bool tests);
  void leave(RequestId request);
  void made(RequestId request, std::uint64_t version, Oid base, Oid candidate, bool nothing);
  void not_made(RequestId request, std::uint64_t version, Oid base, Error why);  // `base` empty: nobody knows, and it is final
  void test_ended(RequestId request, const Oid& candidate, std::optional<Error> failure);
  void moved(RequestId request);
  void lost(RequestId request, Error why);         // somebody else has moved the target
  void move_failed(RequestId request, Error why);  // nothing has moved, and it would not another time either

  [[nodiscard]] LandEntry* find(RequestId request);
  [[nodiscard]] const LandEntry* find(RequestId request) const;
  [[nodiscard]] std::size_t place_of(RequestId request) const;  // from 0

 private:
  void start_again_from(std::size_t index);
};

namespace land {
struct Make {
  RequestId request;
  std::uint64_t version = 0;
  Oid base;  // empty: the target as it stands
};
struct Test {
  RequestId request;
  Oid candidate;
};
struct Move {
  RequestId request;
};
struct Refuse {  // it has left the line
  RequestId request;
  Error why;
};
struct AlreadyLanded {  // it has left the line
  RequestId request;
  Oid at;
  int tries = 1;
};
}  // namespace land
using LandAction = std::variant<land::Make, land::Test, land::Move, land::Refuse, land::AlreadyLanded>;

// What is to be done now, in order; asked again at once it is nothing.
[[nodiscard]] std::vector<LandAction> next(LandLine& line, std::size_t train);

}  // namespace wtpool::core
