#include "tests/faults/power/record.hpp"

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "tests/support/repo.hpp"

namespace wtpool::test::power {

Told::Told() {
  auto environment = git_environment();
  const auto trace = out_.path() / "trace";
  const auto outcome = run({.argv = traced(trace, {WTPOOL_POWER_STORY, out_.path().string()}),
                            .environment = environment,
                            .directory = out_.path(),
                            .deadline = std::chrono::minutes(5)});
  world_ = trimmed(read_text(out_.path() / "world"));
  if (outcome.code != 0) {
    std::ostringstream text;
    text << "the story did not come to its end: " << outcome;
    throw std::runtime_error(text.str());
  }
  environment_ = nlohmann::json::parse(read_text(out_.path() / "environment")).get<Environment>();
  const auto calls = read_trace(read_text(trace));
  fs::remove(trace);
  recording_ =
      effects_of(calls, world_, Tree::of(out_.path() / "base"), out_.path() / "said", "{\"said\":\"base\"}", out_.path());
  if (const auto other = recording_->end.difference(Tree::of(world_)); !other.empty())
    throw std::runtime_error("the recording is not what happened: " + other);
  judge_.emplace(*recording_, world_ / "app");
}

Told::~Told() {
  std::error_code ignored;
  if (!world_.empty()) fs::remove_all(world_, ignored);
}

}  // namespace wtpool::test::power
