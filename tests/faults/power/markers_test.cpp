#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/faults/power/recording.hpp"
#include "tests/support/repo.hpp"

namespace wtpool::test::power {
namespace {

using nlohmann::json;

// What one file held, from when to when; no text: it was not there.
struct Version {
  std::size_t doing = 0, done = SIZE_MAX;
  std::string text;
};
using Histories = std::map<std::string, std::vector<Version>>;

class MarkersOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = why_no_strace(); !why.empty()) GTEST_SKIP() << why;
    const auto trace = out_.path() / "trace";
    const auto outcome = run({.argv = traced(trace, {WTPOOL_POWER_MARKERS, out_.path().string()}),
                              .environment = git_environment(),
                              .directory = out_.path()});
    ASSERT_EQ(outcome.code, 0) << outcome;
    recording_ = effects_of(read_trace(read_text(trace)), out_.path() / "world", Tree::of(out_.path() / "base"),
                            out_.path() / "said", "{\"said\":\"base\"}", out_.path());
    ASSERT_EQ(recording_.end.difference(Tree::of(out_.path() / "world")), "");
    for (std::size_t at = 0; at < recording_.effects.size(); ++at) {
      if (recording_.effects[at].kind != Effect::Kind::said) continue;
      const auto line = json::parse(recording_.effects[at].bytes);
      auto& versions = histories_[line.value("file", "")];
      if (versions.empty()) versions.push_back({0, 0, {}});
      if (line["said"] == "doing") versions.push_back({at, SIZE_MAX, {}});
      if (line["said"] == "done") versions.back() = {versions.back().doing, at, line["text"]};
    }
  }

  // How many of `schedules` disks have a file that holds neither what it held last, nor what was being written.
  [[nodiscard]] std::size_t torn(std::size_t schedules, Law law, Syncs syncs) {
    std::mt19937 chance(1);
    std::size_t wrong = 0;
    for (std::size_t number = 0; number < schedules; ++number) {
      Schedule schedule{std::uniform_int_distribution<std::size_t>(0, recording_.effects.size())(chance), law, syncs, {}};
      schedule.chance.seed(chance());
      const Tree disk = after_power_loss(recording_.base, recording_.effects, schedule);
      bool sound = true;
      for (const auto& [file, versions] : histories_)
        sound = sound && (file.empty() || may_be(disk, file, versions, schedule.moment));
      if (!sound) ++wrong;
    }
    return wrong;
  }

 private:
  static bool may_be(const Tree& disk, const std::string& file, const std::vector<Version>& versions, std::size_t moment) {
    const Node* const node = disk.find(file);
    const std::string text = node == nullptr ? std::string() : node->data;
    if (node != nullptr && text.empty()) return false;
    for (std::size_t at = versions.size(); at-- > 0;) {
      if (versions[at].doing > moment) continue;
      if (versions[at].text == text) return true;
      if (versions[at].done < moment) return false;
    }
    return false;
  }

  TempDir out_;
  Recording recording_;
  Histories histories_;
};

TEST_F(MarkersOnDisk, AreTheOldOnesOrTheNewOnesAfterTenThousandPowerLosses) {
  EXPECT_EQ(torn(5'000, Law::ordered, Syncs::all), 0u);
  EXPECT_EQ(torn(5'000, Law::loose, Syncs::all), 0u);
}

TEST_F(MarkersOnDisk, NeedEverySyncTheyMake) {
  EXPECT_GT(torn(500, Law::ordered, Syncs::none), 0u);
  EXPECT_GT(torn(500, Law::ordered, Syncs::directories_only), 0u) << "content that is not synced before its rename";
  EXPECT_GT(torn(500, Law::ordered, Syncs::files_only), 0u) << "a rename whose directory is not synced";
  EXPECT_GT(torn(500, Law::loose, Syncs::files_only), 0u);
}

}  // namespace
}  // namespace wtpool::test::power
