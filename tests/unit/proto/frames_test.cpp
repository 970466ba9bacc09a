#include "proto/codec/splitter.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <random>
#include <vector>

#include "proto/codec/codec.hpp"

namespace wtpool::proto {
namespace {

using State = FrameSplitter::State;

std::vector<std::string> drain(FrameSplitter& splitter) {
  std::vector<std::string> out;
  while (auto line = splitter.next()) out.push_back(std::move(*line));
  return out;
}

TEST(FrameSplitter, GivesLinesHoweverTheBytesArrive) {
  const std::string stream = "one\r\n\n\r\ntwo\nthree";
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    FrameSplitter splitter;
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      ASSERT_EQ(splitter.feed(std::string_view(stream).substr(at, step)), State::open);
      for (auto& line : drain(splitter)) lines.push_back(std::move(line));
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"})) << step;
    EXPECT_TRUE(splitter.has_partial());
  }
}

TEST(FrameSplitter, HoldsNoPartialAfterANewline) {
  FrameSplitter splitter;
  EXPECT_FALSE(splitter.has_partial());
  EXPECT_EQ(splitter.feed("x"), State::open);
  EXPECT_TRUE(splitter.has_partial());
  EXPECT_EQ(splitter.feed("\n"), State::open);
  EXPECT_FALSE(splitter.has_partial());
}

TEST(FrameSplitter, TakesALineOfTheLimitAndRefusesOneByteMore) {
  for (const std::string end : {"\n", "\r\n"}) {
    FrameSplitter fits;
    EXPECT_EQ(fits.feed(std::string(kMaxFrame, 'a') + end), State::open);
    EXPECT_EQ(fits.next().value_or("").size(), kMaxFrame);
    FrameSplitter too_long;
    EXPECT_EQ(too_long.feed(std::string(kMaxFrame + 1, 'a') + end), State::too_long);
  }
}

TEST(FrameSplitter, RefusesALongLineBeforeItsNewlineComes) {
  FrameSplitter splitter;
  EXPECT_EQ(splitter.feed(std::string(kMaxFrame, 'a')), State::open);
  EXPECT_EQ(splitter.feed("\r"), State::open);
  EXPECT_EQ(splitter.feed("b"), State::too_long);
  EXPECT_FALSE(splitter.next());
  EXPECT_FALSE(splitter.has_partial());
}

TEST(FrameSplitter, StillGivesTheLinesBeforeTheLongOneAndTakesNothingAfter) {
  FrameSplitter splitter;
  EXPECT_EQ(splitter.feed("good\n" + std::string(kMaxFrame + 1, 'a')), State::too_long);
  EXPECT_EQ(splitter.feed("later\n"), State::too_long);
  EXPECT_EQ(drain(splitter), std::vector<std::string>{"good"});
}

TEST(FrameSplitter, GivesTheSameLinesForRandomCuts) {
  std::mt19937 random(7);
  std::string stream;
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    expected.emplace_back(1 + random() % 3000, static_cast<char>('a' + i % 26));
    stream += expected.back() + "\n";
  }
  FrameSplitter splitter;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t size = 1 + random() % 9000;
    ASSERT_EQ(splitter.feed(std::string_view(stream).substr(at, size)), State::open);
    at += size;
    // A reader that does not always take everything at once.
    for (auto take = random() % 9; take > 0; --take) {
      if (auto line = splitter.next()) lines.push_back(std::move(*line));
    }
  }
  for (auto& line : drain(splitter)) lines.push_back(std::move(line));
  EXPECT_EQ(lines, expected);
}

TEST(Limits, TakeNestingOfTheLimitAndRefuseOneMore) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  const auto members = [](int count) {
    std::string object = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{";
    for (int i = 0; i < count; ++i) object += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":[{\"x\":\"a:b\"}]";
    return object + "}}";
  };
  EXPECT_FALSE(exceeds_limits(members(kMaxMembers)));
  EXPECT_TRUE(exceeds_limits(members(kMaxMembers + 1)));
  // Those who come close to the limits in every way do not keep a reader longer than a moment.
  std::string wide = "[";
  while (wide.size() < kMaxFrame - 8000) wide += members(kMaxMembers) + ",";
  const std::clock_t before = std::clock();
  EXPECT_THROW((void)decode_client_frame(wide + "0]"), Error);
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 5.0);
  EXPECT_FALSE(exceeds_limits(nested(kMaxNesting)));
  EXPECT_TRUE(exceeds_limits(nested(kMaxNesting + 1)));
  EXPECT_TRUE(exceeds_limits(std::string(kMaxFrame, '{')));
}

TEST(Limits, CountBracketsOnlyOutsideOfStrings) {
  EXPECT_FALSE(exceeds_limits("\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\""));
  EXPECT_TRUE(exceeds_limits("\"\\\\\"" + std::string(100, '[')));
}

TEST(Limits, TakeAStringOfTheLimitAndRefuseOneByteMore) {
  const auto quoted = [](std::size_t size) { return "{\"k\":\"" + std::string(size, 'a') + "\"}"; };
  EXPECT_FALSE(exceeds_limits(quoted(kMaxString)));
  EXPECT_TRUE(exceeds_limits(quoted(kMaxString + 1)));
  EXPECT_TRUE(exceeds_limits("\"" + std::string(kMaxString + 1, 'a')));
  std::string escaped;
  for (std::size_t i = 0; i < kMaxString / 2; ++i) escaped += "\\n";
  EXPECT_FALSE(exceeds_limits("\"" + escaped + "\""));
  EXPECT_TRUE(exceeds_limits("\"" + escaped + "a\""));
}

}  // namespace
}  // namespace wtpool::proto
