// The file of figures. Every scene goes into it as soon as it is over, in one piece: what a benchmark that was cut off had
// measured is there, and scenes may be measured one call after another.
#pragma once

#include <filesystem>

#include "tests/bench/figures.hpp"

namespace wtpool::bench {

class Results {
 public:
  // `file`: empty = nothing is kept. What stands there is kept, too, where it is of the same machine and the same program:
  // where `facts` say the same, but for their date and commit.
  Results(std::filesystem::path file, nlohmann::ordered_json facts);

  // `about`: of this run of the scene: rounds, and so on.
  void add(const std::string& repository, const std::string& scene, const Figures& measured, nlohmann::ordered_json about);
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  void write() const;

  std::filesystem::path file_;
  nlohmann::ordered_json facts_;
  nlohmann::ordered_json runs_ = nlohmann::ordered_json::array();
  Figures figures_;
};

}  // namespace wtpool::bench
