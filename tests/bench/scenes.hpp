// What is measured, scene by scene. Every round of a scene has each rival do the same thing once, in an order drawn anew, so
// that a noisy machine is noisy to all; whoever leaves work for the background is waited for before the next one starts.
#pragma once

#include <random>
#include <set>

#include "tests/bench/figures.hpp"
#include "tests/bench/ground.hpp"
#include "tests/bench/peer.hpp"

namespace wtpool::bench {

struct Plan {
  int rounds = 15;
  std::uint64_t seed = 1;
  std::chrono::seconds idle{60};
  std::set<std::string> only;  // scenes; empty = all
  fs::path where;              // a directory for what is made
  [[nodiscard]] bool wants(const std::string& scene) const { return only.empty() || only.contains(scene); }
};

// A repository that slots of any size stand for.
struct Size {
  std::string name;  // in the figures
  fs::path fixture;
  std::vector<int> at_once;  // how many clients
  int slots = 0;             // of the idle daemon
};

void measure(const Size& size, const Plan& plan, Figures& figures);  // scenes warm, fresh, clients, hand-over, idle, steps
void measure_reports(const Plan& plan, Figures& figures);            // scene reports: path and ls with 1, 16, 256 slots

}  // namespace wtpool::bench
