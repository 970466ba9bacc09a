// What was measured: samples by (repository, what, who), and what is said of them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace wtpool::bench {

// Of `who` doing `what` on `repository`; milliseconds unless `what` says otherwise.
struct Key {
  std::string repository;
  std::string what;
  std::string who;
  friend auto operator<=>(const Key&, const Key&) = default;
};

class Figures {
 public:
  void add(const Key& key, double sample) { samples_[key].push_back(sample); }
  [[nodiscard]] std::optional<double> median(const Key& key) const { return quantile(key, 0.5); }
  [[nodiscard]] std::optional<double> quantile(const Key& key, double part) const;  // nothing: never measured

  // Samples of `net`: those of `gross`, each less `times` the median of `part`.
  void subtract(const Key& net, const Key& gross, const Key& part, double times);

  void print() const;
  [[nodiscard]] nlohmann::ordered_json as_json() const;  // an array, one object a key

 private:
  std::map<Key, std::vector<double>> samples_;
};

// What was set out to be reached, and what was: an array of {"what","unit","wanted","got","reached"}; `got` is null where
// nothing was measured.
[[nodiscard]] nlohmann::ordered_json targets_of(const Figures& figures);

}  // namespace wtpool::bench
