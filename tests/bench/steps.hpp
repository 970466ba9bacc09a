// Where the time of one command goes, by the daemon's own log at level debug: `<step> took <n> us`. Jobs hold the other steps:
// what is in a job besides them is its rest, so that the parts add up to the jobs.
#pragma once

#include <map>
#include <string>

namespace wtpool::bench {

// Milliseconds by step, several of a name added up: `git switch`, `marker`, `acquire: the rest`, ...
[[nodiscard]] std::map<std::string, double> steps_in(const std::string& log);
[[nodiscard]] double sum_of(const std::map<std::string, double>& steps);

}  // namespace wtpool::bench
