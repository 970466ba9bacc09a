#include "tests/bench/results.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>

#include "tests/support/process.hpp"

namespace wtpool::bench {
namespace {

using nlohmann::ordered_json;

ordered_json what_must_be_the_same(ordered_json facts) {
  facts.erase("date");
  facts.erase("commit");
  return facts;
}

// One element a line, so that a changed figure is a changed line.
std::string lines_of(const ordered_json& array) {
  std::string text;
  for (const auto& element : array) text += (text.empty() ? "\n  " : ",\n  ") + element.dump();
  return "[" + text + "\n ]";
}

}  // namespace

Results::Results(std::filesystem::path file, ordered_json facts) : file_(std::move(file)), facts_(std::move(facts)) {
  if (file_.empty() || !std::filesystem::exists(file_)) return;
  std::ifstream stream(file_);
  const auto before = ordered_json::parse(stream, nullptr, false);
  if (!before.is_object() || !before.contains("runs") ||
      what_must_be_the_same(before.at("facts")) != what_must_be_the_same(facts_)) {
    std::cerr << "bench: " << file_.string() << " is of another machine or another program: it is begun anew" << std::endl;
    return;
  }
  runs_ = before.at("runs");
  figures_ = Figures::from_json(before.at("figures"));
}

void Results::add(const std::string& repository, const std::string& scene, const Figures& measured, ordered_json about) {
  figures_.replace(repository, scene, measured);
  about["repository"] = repository;
  about["scene"] = scene;
  const auto same = std::find_if(runs_.begin(), runs_.end(), [&](const auto& run) {
    return run.at("repository") == repository && run.at("scene") == scene;
  });
  if (same == runs_.end()) {
    runs_.push_back(std::move(about));
  } else {
    *same = std::move(about);
  }
  if (!file_.empty()) write();
}

void Results::write() const {
  const Figures all = figures_.with_derived();
  const std::filesystem::path beside = file_.string() + ".new";
  test::write_text(beside, "{\n \"facts\": " + facts_.dump() + ",\n \"runs\": " + lines_of(runs_) + ",\n \"targets\": " +
                               lines_of(targets_of(all)) + ",\n \"figures\": " + lines_of(all.as_json()) + "\n}\n");
  std::filesystem::rename(beside, file_);
}

}  // namespace wtpool::bench
