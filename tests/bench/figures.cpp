#include "tests/bench/figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace wtpool::bench {
namespace {

double quantile_of(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size()));
  return values[std::min(values.size() - 1, at)];
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace

void Figures::replace(const std::string& repository, const std::string& scene, const Figures& measured) {
  std::erase_if(measured_,
                [&](const auto& entry) { return entry.first.repository == repository && entry.second.scene == scene; });
  for (const auto& [key, of] : measured.measured_) measured_[key] = {scene, of.samples, false};
}

std::optional<double> Figures::quantile(const Key& key, double part) const {
  const auto found = measured_.find(key);
  if (found == measured_.end()) return std::nullopt;
  return quantile_of(found->second.samples, part);
}

Figures Figures::with_derived() const {
  static const std::string kAtOnce = "at-once-";
  Figures all = *this;
  for (const auto& [key, of] : measured_) {
    if (key.who != kScript) continue;
    // What each shell costs while it has the lock; more than all of that it cannot have made the last one wait.
    const bool many = key.what.starts_with(kAtOnce);
    const double shells = many ? std::stod(key.what.substr(kAtOnce.size())) : 1;
    const std::string what = many ? "at-once" : key.what == "release" ? "release" : "acquire";
    const double less = shells * median({key.repository, what, kShell}).value_or(0);
    Measured& net = all.measured_[{key.repository, key.what, kPeer}];
    net = {of.scene, {}, true};
    for (const double sample : of.samples) net.samples.push_back(std::max(0.0, sample - less));
  }
  return all;
}

void Figures::print() const {
  std::printf("%-8s %-28s %-20s %10s %10s %10s %5s\n", "", "", "", "median", "p95", "least", "n");
  for (const auto& [key, of] : measured_) {
    std::printf("%-8s %-28s %-20s %10.2f %10.2f %10.2f %5zu\n", key.repository.c_str(), key.what.c_str(), key.who.c_str(),
                quantile_of(of.samples, 0.5), quantile_of(of.samples, 0.95), quantile_of(of.samples, 0), of.samples.size());
  }
}

nlohmann::ordered_json Figures::as_json() const {
  auto all = nlohmann::ordered_json::array();
  for (const auto& [key, of] : measured_) {
    nlohmann::ordered_json figure = {{"repository", key.repository},
                                     {"what", key.what},
                                     {"who", key.who},
                                     {"median", rounded(quantile_of(of.samples, 0.5))},
                                     {"p95", rounded(quantile_of(of.samples, 0.95))},
                                     {"least", rounded(quantile_of(of.samples, 0))},
                                     {"n", of.samples.size()},
                                     {"scene", of.scene}};
    if (!of.derived) {
      auto& samples = figure["samples"] = nlohmann::ordered_json::array();
      for (const double sample : of.samples) samples.push_back(rounded(sample));
    }
    all.push_back(std::move(figure));
  }
  return all;
}

Figures Figures::from_json(const nlohmann::ordered_json& figures) {
  Figures all;
  for (const auto& figure : figures) {
    if (!figure.contains("samples")) continue;
    all.measured_[{figure.at("repository"), figure.at("what"), figure.at("who")}] = {
        figure.at("scene"), figure.at("samples").get<std::vector<double>>(), false};
  }
  return all;
}

namespace {

class Targets {
 public:
  explicit Targets(const Figures& figures) : figures_(figures) {}

  void at_least(const std::string& what, double times, const Key& theirs, const Key& ours) {
    add(
        what, "times faster", times, ratio(theirs, ours), [times](double got) { return got >= times; }, ">=");
  }
  void grows_less(const std::string& what, double times, const Key& large, const Key& small) {
    add(
        what, "times", times, ratio(large, small), [times](double got) { return got < times; }, "<");
  }
  void below(const std::string& what, const std::string& unit, double limit, const Key& key) {
    add(
        what, unit, limit, figures_.median(key), [limit](double got) { return got < limit; }, "<");
  }
  [[nodiscard]] nlohmann::ordered_json take() { return std::move(all_); }

 private:
  [[nodiscard]] std::optional<double> ratio(const Key& above, const Key& below) const {
    const auto over = figures_.median(above);
    const auto under = figures_.median(below);
    if (!over || !under || *under <= 0) return std::nullopt;
    return *over / *under;
  }
  template <class Reached>
  void add(const std::string& what, const std::string& unit, double wanted, std::optional<double> got, Reached reached,
           const char* relation) {
    nlohmann::ordered_json row = {{"what", what}, {"relation", relation}, {"wanted", wanted}, {"unit", unit}};
    row["got"] = got ? nlohmann::ordered_json(std::round(*got * 100) / 100) : nlohmann::ordered_json();
    row["reached"] = got ? nlohmann::ordered_json(reached(*got)) : nlohmann::ordered_json();
    all_.push_back(std::move(row));
  }

  const Figures& figures_;
  nlohmann::ordered_json all_ = nlohmann::ordered_json::array();
};

}  // namespace

nlohmann::ordered_json targets_of(const Figures& figures) {
  Targets targets(figures);
  const std::string peer = "reference tool";
  targets.at_least("acquire at the same commit, 5,000 files", 4, {"small", "acquire-0", peer},
                   {"small", "acquire-0", "wtpool"});
  targets.at_least("acquire at the same commit, 80,000 files", 40, {"large", "acquire-0", peer},
                   {"large", "acquire-0", "wtpool"});
  targets.at_least("acquire one commit away, 5,000 files", 1.5, {"small", "acquire-1", peer}, {"small", "acquire-1", "wtpool"});
  targets.at_least("acquire one commit away, 80,000 files", 1.5, {"large", "acquire-1", peer},
                   {"large", "acquire-1", "wtpool"});
  targets.at_least("release, 5,000 files", 4, {"small", "release", peer}, {"small", "release", "wtpool"});
  targets.at_least("release, 80,000 files", 4, {"large", "release", peer}, {"large", "release", "wtpool"});
  targets.at_least("8 acquires at once, 5,000 files", 10, {"small", "at-once-8", peer}, {"small", "at-once-8", "wtpool"});
  targets.at_least("32 acquires at once, 5,000 files", 15, {"small", "at-once-32", peer}, {"small", "at-once-32", "wtpool"});
  targets.grows_less("acquire at the same commit, 80,000 files over 5,000", 1.5, {"large", "acquire-0", "wtpool"},
                     {"small", "acquire-0", "wtpool"});
  targets.below("release to the next holder's command, 5,000 files", "ms", 15, {"small", "hand-over", "wtpool"});
  targets.below("release to the next holder's command, 80,000 files", "ms", 15, {"large", "hand-over", "wtpool"});
  for (const std::string slots : {"1", "16", "256"}) {
    targets.below("path, " + slots + (slots == "1" ? " slot" : " slots"), "ms", 2, {"tiny", "path-" + slots, "wtpool"});
  }
  targets.below("memory of the idle daemon, 5,000 files", "MB", 30, {"small", "idle-rss-mb", "wtpool"});
  targets.below("memory of the idle daemon, 80,000 files", "MB", 30, {"large", "idle-rss-mb", "wtpool"});
  targets.below("CPU of the idle daemon in 60 s, 5,000 files", "ms", 50, {"small", "idle-cpu-ms", "wtpool"});
  targets.below("CPU of the idle daemon in 60 s, 80,000 files", "ms", 50, {"large", "idle-cpu-ms", "wtpool"});
  return targets.take();
}

}  // namespace wtpool::bench
