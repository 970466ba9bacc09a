#include "tests/bench/steps.hpp"

#include <regex>

#include "tests/support/process.hpp"

namespace wtpool::bench {

std::map<std::string, double> steps_in(const std::string& log) {
  static const std::regex kLine(R"(^\S+ debug (\S+)(?: (\S.*))? took (\d+) us$)");
  std::map<std::string, double> steps;
  double within = 0;  // the job that ends next: only one is at work at a time where this is measured
  for (const auto& line : test::lines_of(log)) {
    std::smatch found;
    if (!std::regex_match(line, found, kLine)) continue;
    const double ms = std::stod(found[3]) / 1000;
    if (found[1] == "job") {
      steps[found[2].str() + ": the rest"] += ms - within;
      within = 0;
    } else {
      steps[found[1].str() + (found[2].matched ? " " + found[2].str() : "")] += ms;
      within += ms;
    }
  }
  return steps;
}

double sum_of(const std::map<std::string, double>& steps) {
  double sum = 0;
  for (const auto& [step, ms] : steps) sum += ms;
  return sum;
}

}  // namespace wtpool::bench
