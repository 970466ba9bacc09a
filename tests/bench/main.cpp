// Measures wtpool against the reference tool's git commands and bare git, in one interleaved run; tests/bench/compare is how to
// call it, with its fixtures and release binaries.
//
//   wtpool_bench --small REPO [--large REPO] --where DIR [--rounds N] [--seed N] [--idle SECONDS] [--only SCENE[,SCENE...]]
//                [--quick 1] [--facts FILE] [--json FILE]
//
// DIR is made, used and left to the caller to remove. --facts is JSON about the machine and the program, kept with the figures.
#include <cstdio>
#include <fstream>
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

// A scene that is misspelt would be one that was not measured.
void check_scenes(const Plan& plan) {
  std::set<std::string> known = {kReports, std::string("tiny/") + kReports};
  for (const std::string scene : kScenes) known.insert({scene, "small/" + scene, "large/" + scene});
  for (const auto& scene : plan.only) {
    if (!known.contains(scene)) give_up("no such scene: " + scene);
  }
}

int run(const Options& options) {
  const Plan plan = plan_of(options);
  check_scenes(plan);
  const bool quick = option(options, "quick") == "1";
  auto facts = nlohmann::ordered_json::object();
  if (const std::string file = option(options, "facts"); !file.empty()) {
    std::ifstream stream(file);
    facts = nlohmann::ordered_json::parse(stream);
  }
  Results results(option(options, "json"), std::move(facts));
  measure_reports(plan, results);
  for (const auto& size : {Size{"small", option(options, "small"), {1, 8, quick ? 16 : 32}, quick ? 16 : 64},
                           Size{"large", option(options, "large"), {1, 3}, 8}}) {
    if (!size.fixture.empty()) measure(size, plan, results);
  }
  results.figures().with_derived().print();
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
  wtpool::bench::end_at_signals();
  try {
    return wtpool::bench::run(options);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "wtpool_bench: %s\n", failure.what());
    return 1;
  }
}
