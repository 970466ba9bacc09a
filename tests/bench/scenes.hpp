// What is measured, scene by scene. Every round of a scene has each rival do the same thing once, in an order drawn anew, so
// that a noisy machine is noisy to all; whoever leaves work for the background is waited for before the next one starts.
#pragma once

#include <functional>
#include <random>
#include <set>

#include "tests/bench/ground.hpp"
#include "tests/bench/peer.hpp"
#include "tests/bench/results.hpp"

namespace wtpool::bench {

struct Plan {
  int rounds = 15;
  std::uint64_t seed = 1;
  std::chrono::seconds idle{60};
  std::set<std::string> only;  // scenes, or repositories and scenes ("large/warm"); empty = all
  fs::path where;              // a directory for what is made
  [[nodiscard]] bool wants(const std::string& repository, const std::string& scene) const {
    return only.empty() || only.contains(scene) || only.contains(repository + "/" + scene);
  }
};

// A repository that slots of any size stand for.
struct Size {
  std::string name;  // in the figures
  fs::path fixture;
  std::vector<int> at_once;  // how many clients
  int slots = 0;             // of the idle daemon
};

inline constexpr const char* kScenes[] = {"fresh", "warm", "hand-over", "clients", "idle", "steps"};
inline constexpr const char* kReports = "reports";  // path and ls with 1, 16, 256 slots

void measure(const Size& size, const Plan& plan, Results& results);
void measure_reports(const Plan& plan, Results& results);

// One run of one scene: says how far it is, and in the end puts what it has measured into the results.
class Run {
 public:
  Run(const Plan& plan, std::string repository, std::string scene);
  void add(const std::string& what, const char* who, double sample) { figures_.add({repository_, what, who}, sample); }
  void rounds(int count, const std::function<void(int)>& round) const;
  void say(const std::string& what) const;
  void end(Results& results) const;

 private:
  const Plan& plan_;
  std::string repository_, scene_, load_before_;
  double begin_ms_;
  Figures figures_;
};

}  // namespace wtpool::bench
