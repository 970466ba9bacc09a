#include <cmath>
#include <ctime>
#include <iostream>
#include <sstream>

#include "tests/bench/scenes.hpp"

namespace wtpool::bench {
namespace {

std::string load_of_machine() {
  std::istringstream words(test::read_text("/proc/loadavg"));
  std::string one, five, fifteen;
  words >> one >> five >> fifteen;
  return one + " " + five + " " + fifteen;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[11] = "";
  (void)std::strftime(text, sizeof(text), "%Y-%m-%d", std::gmtime(&now));
  return text;
}

}  // namespace

Run::Run(const Plan& plan, std::string repository, std::string scene)
    : plan_(plan),
      repository_(std::move(repository)),
      scene_(std::move(scene)),
      load_before_(load_of_machine()),
      begin_ms_(now_ms()) {}

void Run::say(const std::string& what) const {
  std::cerr << "bench: " << repository_ << "/" << scene_ << ": " << what << std::endl;
}

void Run::rounds(int count, const std::function<void(int)>& round) const {
  const int every = count > 30 ? count / 15 : 1;
  for (int i = 0; i < count; ++i) {
    const double begin = now_ms();
    round(i);
    if ((i + 1) % every != 0 && i + 1 != count) continue;
    say("round " + std::to_string(i + 1) + " of " + std::to_string(count) + ", " +
        std::to_string(std::lround(now_ms() - begin)) + " ms");
  }
}

void Run::end(Results& results) const {
  const double seconds = std::round((now_ms() - begin_ms_) / 100) / 10;
  results.add(repository_, scene_, figures_,
              {{"date", today()},
               {"rounds", plan_.rounds},
               {"seed", plan_.seed},
               {"seconds", seconds},
               {"idle_seconds", plan_.idle.count()},
               {"load_before", load_before_},
               {"load_after", load_of_machine()}});
}

}  // namespace wtpool::bench
