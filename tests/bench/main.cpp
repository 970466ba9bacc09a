// Measures wtpool against the reference tool's git commands and bare git, in one interleaved run; tests/bench/compare is how to
// call it, with its fixtures and release binaries.
//
//   wtpool_bench --small REPO [--large REPO] --where DIR [--rounds N] [--seed N] [--idle SECONDS] [--only SCENE[,SCENE...]]
//                [--quick 1] [--facts FILE] [--json FILE]
//
// DIR is made, used and left to the caller to remove. FACTS is JSON about the machine, kept with the figures.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "tests/bench/scenes.hpp"

namespace wtpool::bench {
namespace {

using Options = std::map<std::string, std::string>;

std::string option(const Options& options, const std::string& name, const std::string& otherwise = {}) {
  const auto found = options.find("--" + name);
  return found == options.end() ? otherwise : found->second;
}

Plan plan_of(const Options& options) {
  Plan plan;
  const bool quick = option(options, "quick") == "1";
  plan.rounds = std::stoi(option(options, "rounds", quick ? "3" : "15"));
  plan.seed = std::stoull(option(options, "seed", "1"));
  plan.idle = std::chrono::seconds(std::stoi(option(options, "idle", quick ? "5" : "60")));
  plan.where = option(options, "where");
  std::istringstream scenes(option(options, "only"));
  for (std::string scene; std::getline(scenes, scene, ',');) plan.only.insert(scene);
  return plan;
}

int run(const Options& options) {
  const Plan plan = plan_of(options);
  const bool quick = option(options, "quick") == "1";
  Figures figures;
  measure_reports(plan, figures);
  const auto wants = [&plan](std::initializer_list<const char*> scenes) {
    return std::any_of(scenes.begin(), scenes.end(), [&plan](const char* scene) { return plan.wants(scene); });
  };
  if (wants({"warm", "fresh", "clients", "hand-over", "idle", "steps"})) {
    for (const auto& size : {Size{"small", option(options, "small"), {1, 8, quick ? 16 : 32}, quick ? 16 : 64},
                             Size{"large", option(options, "large"), {1, 3}, 8}}) {
      if (!size.fixture.empty()) measure(size, plan, figures);
    }
  }
  figures.print();
  nlohmann::ordered_json all;
  if (const std::string facts = option(options, "facts"); !facts.empty()) {
    std::ifstream file(facts);
    all["facts"] = nlohmann::ordered_json::parse(file);
  }
  all["rounds"] = plan.rounds;
  all["seed"] = plan.seed;
  all["idle_seconds"] = plan.idle.count();
  all["targets"] = targets_of(figures);
  all["figures"] = figures.as_json();
  if (const std::string file = option(options, "json"); !file.empty()) test::write_text(file, all.dump(1) + "\n");
  return 0;
}

}  // namespace
}  // namespace wtpool::bench

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  if (argc % 2 == 0 || options["--where"].empty() || options["--small"].empty()) {
    std::fprintf(stderr, "usage: wtpool_bench --small REPO --where DIR [...]: see tests/bench/compare\n");
    return 2;
  }
  try {
    return wtpool::bench::run(options);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "wtpool_bench: %s\n", failure.what());
    return 1;
  }
}
