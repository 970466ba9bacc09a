// The fuzz targets without a fuzzer: every checked-in input, and the same few thousand mutations of them at each run.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <vector>

#include "tests/fuzz/targets.hpp"

namespace wtpool::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr int kMutations = 4000;
constexpr unsigned kSeed = 20260505;

struct Target {
  std::string name;
  void (*check)(std::string_view);
  std::string more_seeds = {};  // below the source tree
};
void PrintTo(const Target& target, std::ostream* stream) { *stream << target.name; }

std::map<std::string, std::string> files_in(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    std::ifstream stream(entry.path(), std::ios::binary);
    files[entry.path().filename().string()] = std::string(std::istreambuf_iterator<char>(stream), {});
  }
  return files;
}

std::map<std::string, std::string> seeds_of(const Target& target) {
  const fs::path top(WTPOOL_SOURCE_DIR);
  auto seeds = files_in(top / "tests/fuzz/corpus" / target.name);
  if (!target.more_seeds.empty()) seeds.merge(files_in(top / target.more_seeds));
  return seeds;
}

std::string shown(const std::string& input) {
  std::ostringstream text;
  for (const char c : input) {
    if (c >= 0x20 && c < 0x7F && c != '\\') {
      text << c;
    } else {
      text << "\\x" << std::hex << (static_cast<unsigned>(c) >> 4 & 15u) << (static_cast<unsigned>(c) & 15u);
    }
  }
  return text.str();
}

void check(const Target& target, const std::string& origin, const std::string& input) {
  // Of the processor's time, so that a busy machine does not count; sanitizers take a multiple of it.
  constexpr double kLongest = 10;  // seconds
  const std::clock_t before = std::clock();
  try {
    target.check(input);
    const double took = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    if (took > kLongest) ADD_FAILURE() << origin << ": it took " << took << " s\nwith: " << shown(input.substr(0, 1000));
  } catch (const Broken& broken) {
    ADD_FAILURE() << origin << ": " << broken.what << "\nwith: " << shown(input);
  } catch (const std::exception& escaped) {
    ADD_FAILURE() << origin << ": an exception came out: " << escaped.what() << "\nwith: " << shown(input);
  }
}

class Mutator {
 public:
  explicit Mutator(const std::map<std::string, std::string>& seeds) {
    for (const auto& [name, text] : seeds) seeds_.push_back(text);
  }
  std::string next() {
    std::string text = seed();
    for (auto edits = 1 + below(4); edits > 0; --edits) edit(text);
    return text;
  }

 private:
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
  const std::string& seed() { return seeds_[below(seeds_.size())]; }
  void edit(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random_());
        break;
      case 1:
        text.erase(at, 1 + below(9));
        break;
      case 2:
        text.insert(at, 1, "{}[]\":,0-e\n\r\\#&*!? |\0\xff"[below(23)]);
        break;
      case 3:  // a piece of it once more
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(30)));
        break;
      case 4: {  // the rest of another one
        const std::string& other = seed();
        text.resize(at);
        text += other.substr(std::min(at, other.size()));
        break;
      }
      default:
        text.resize(at);
    }
  }
  std::vector<std::string> seeds_;
  std::mt19937 random_{kSeed};
};

class Fuzz : public ::testing::TestWithParam<Target> {};

TEST_P(Fuzz, EveryCheckedInInputIsReadAsPromised) {
  const auto seeds = seeds_of(GetParam());
  EXPECT_GE(seeds.size(), 5u);
  for (const auto& [name, input] : seeds) check(GetParam(), name, input);
}

TEST_P(Fuzz, EveryBeginningOfACheckedInInputIsReadAsPromised) {
  for (const auto& [name, input] : seeds_of(GetParam())) {
    if (input.size() > 1000) continue;
    for (std::size_t size = 0; size < input.size(); ++size) check(GetParam(), name, input.substr(0, size));
  }
}

TEST_P(Fuzz, MutationsAreReadAsPromised) {
  Mutator mutator(seeds_of(GetParam()));
  for (int round = 0; round < kMutations && !HasFailure(); ++round) {
    check(GetParam(), "mutation " + std::to_string(round), mutator.next());
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Fuzz,
                         ::testing::Values(Target{"splitter", splitter}, Target{"decoder", decoder, "tests/golden/v1"},
                                           Target{"marker", marker}, Target{"config", config},
                                           Target{"gitmodules", gitmodules}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace wtpool::fuzz
