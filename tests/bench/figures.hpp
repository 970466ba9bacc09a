// What was measured: samples by (repository, what, who), each of one scene, and what is said of them.
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
  void add(const Key& key, double sample) { measured_[key].samples.push_back(sample); }
  // All that `scene` of `repository` had said before is forgotten, and `measured` is what it says now.
  void replace(const std::string& repository, const std::string& scene, const Figures& measured);

  [[nodiscard]] std::optional<double> median(const Key& key) const { return quantile(key, 0.5); }
  [[nodiscard]] std::optional<double> quantile(const Key& key, double part) const;  // nothing: never measured

  // With what follows from them: of each script, what it would have taken without its shell. Not with the samples, of which
  // they can always be made again.
  [[nodiscard]] Figures with_derived() const;

  void print() const;
  [[nodiscard]] nlohmann::ordered_json as_json() const;  // an array, one object a key
  [[nodiscard]] static Figures from_json(const nlohmann::ordered_json& figures);

 private:
  struct Measured {
    std::string scene;
    std::vector<double> samples;
    bool derived = false;
  };
  std::map<Key, Measured> measured_;
};

inline constexpr const char* kOurs = "wtpool";
inline constexpr const char* kPeer = "reference tool";
inline constexpr const char* kScript = "reference script";  // with its shell
inline constexpr const char* kShell = "its shell";
inline constexpr const char* kGit = "git";

// What was set out to be reached, and what was: an array of {"what","unit","wanted","got","reached"}; `got` is null where
// nothing was measured.
[[nodiscard]] nlohmann::ordered_json targets_of(const Figures& figures);

}  // namespace wtpool::bench
