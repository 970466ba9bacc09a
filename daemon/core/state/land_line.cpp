#include "daemon/core/state/land_line.hpp"

#include <algorithm>

namespace wtpool::core {

using Step = LandEntry::Step;

LandEntry* LandLine::find(RequestId request) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const LandEntry& entry) { return entry.request == request; });
  return found == entries.end() ? nullptr : &*found;
}

const LandEntry* LandLine::find(RequestId request) const { return const_cast<LandLine*>(this)->find(request); }

std::size_t LandLine::place_of(RequestId request) const {
  return static_cast<std::size_t>(
      std::find_if(entries.begin(), entries.end(), [&](const LandEntry& entry) { return entry.request == request; }) -
      entries.begin());
}

void LandLine::enter(RequestId request, bool tests) {
  LandEntry entry;
  entry.request = request;
  entry.tests = tests;
  entries.push_back(std::move(entry));
}

// What stood on something that does not land is nothing any more.
void LandLine::start_again_from(std::size_t index) {
  for (std::size_t i = index; i < entries.size(); ++i) {
    LandEntry& entry = entries[i];
    if (entry.step == Step::moving) continue;
    entry.step = Step::waiting;
    entry.version = 0;
    entry.base = entry.candidate = Oid{};
    entry.nothing = entry.tested = false;
    entry.failure.reset();
  }
}

void LandLine::leave(RequestId request) {
  LandEntry* entry = find(request);
  if (entry == nullptr) return;
  if (entry->step == Step::moving) {
    entry->left = true;
    return;
  }
  const std::size_t place = place_of(request);
  entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(place));
  start_again_from(place);
}

void LandLine::made(RequestId request, std::uint64_t version, Oid base, Oid candidate, bool nothing) {
  LandEntry* entry = find(request);
  if (entry == nullptr || entry->step != Step::making || entry->version != version) return;
  if (entry == &entries.front()) at = base;
  entry->base = std::move(base);
  entry->candidate = nothing ? entry->base : std::move(candidate);
  entry->nothing = nothing;
  entry->step = Step::passed;
  if (entry->tests && !nothing) entry->step = Step::waiting;  // for its test: `next` tells the client
}

void LandLine::not_made(RequestId request, std::uint64_t version, Oid base, Error why) {
  LandEntry* entry = find(request);
  if (entry == nullptr || entry->step != Step::making || entry->version != version) return;
  if (entry == &entries.front()) at = base;
  entry->base = std::move(base);
  entry->step = Step::failed;
  entry->failure = std::move(why);
}

void LandLine::test_ended(RequestId request, const Oid& candidate, std::optional<Error> failure) {
  LandEntry* entry = find(request);
  if (entry == nullptr || entry->step != Step::testing || entry->candidate != candidate) return;
  entry->tested = !failure;
  entry->step = failure ? Step::failed : Step::passed;
  entry->failure = std::move(failure);
}

void LandLine::moved(RequestId request) {
  if (entries.empty() || entries.front().request != request || entries.front().step != Step::moving) return;
  at = entries.front().candidate;
  entries.erase(entries.begin());
}

void LandLine::lost(RequestId request, Error why) {
  if (entries.empty() || entries.front().request != request || entries.front().step != Step::moving) return;
  at = Oid{};
  LandEntry& entry = entries.front();
  if (entry.left) {
    entries.erase(entries.begin());
    return start_again_from(0);
  }
  ++entry.tries;
  entry.step = Step::waiting;
  start_again_from(0);
  if (entry.tries <= kTries) return;
  entry.step = Step::failed;
  entry.failure = std::move(why);
}

void LandLine::move_failed(RequestId request, Error why) {
  if (entries.empty() || entries.front().request != request || entries.front().step != Step::moving) return;
  LandEntry& entry = entries.front();
  at = Oid{};
  if (entry.left) {
    entries.erase(entries.begin());
  } else {
    entry.step = Step::failed;
    entry.base = Oid{};
    entry.failure = std::move(why);
  }
  start_again_from(entries.empty() || entries.front().step != Step::failed ? 0 : 1);
}

namespace {

// The first has nothing before it that could be to blame, and its base is where the target stands.
std::optional<LandAction> settle_first(LandLine& line) {
  LandEntry& first = line.entries.front();
  const bool on_target = first.base == line.at;
  if (first.step == Step::failed && on_target) {
    LandAction refused = land::Refuse{first.request, *first.failure};
    line.leave(first.request);
    return refused;
  }
  if (first.step == Step::passed && first.nothing && on_target) {
    LandAction landed = land::AlreadyLanded{first.request, first.base, first.tries};
    line.entries.erase(line.entries.begin());  // those behind it stand on its base
    return landed;
  }
  if (first.step == Step::passed && on_target) {
    first.step = Step::moving;
    return land::Move{first.request};
  }
  return std::nullopt;
}

std::optional<LandAction> work_on(LandLine& line, std::size_t index) {
  LandEntry& entry = line.entries[index];
  if (entry.step != Step::waiting) return std::nullopt;
  if (!entry.candidate.empty()) {
    entry.step = Step::testing;
    return land::Test{entry.request, entry.candidate};
  }
  const Oid base = index == 0 ? Oid{} : line.entries[index - 1].candidate;
  if (index > 0 && base.empty()) return std::nullopt;  // it is still being made, or does not go together with what is before it
  entry.step = Step::making;
  entry.version = line.next_version++;
  return land::Make{entry.request, entry.version, base};
}

}  // namespace

std::vector<LandAction> next(LandLine& line, std::size_t train) {
  std::vector<LandAction> actions;
  while (!line.entries.empty()) {
    auto action = settle_first(line);
    if (!action) break;
    const bool moves = std::holds_alternative<land::Move>(*action);
    actions.push_back(std::move(*action));
    if (moves) break;
  }
  for (std::size_t i = 0; i < line.entries.size() && i < std::max<std::size_t>(train, 1); ++i) {
    // One that came to be first and stands on something that is not the target is made anew.
    if (auto action = work_on(line, i)) actions.push_back(std::move(*action));
  }
  return actions;
}

}  // namespace wtpool::core
