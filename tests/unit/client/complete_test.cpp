#include "client/cli/complete.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "client/cli/options.hpp"

namespace wtpool::client {
namespace {

bool has(const Candidates& found, const std::string& word) { return std::ranges::find(found.words, word) != found.words.end(); }

TEST(Complete, VerbsAndTheirVerbs) {
  const Candidates found = candidates_for({"re"});
  EXPECT_TRUE(has(found, "release"));
  EXPECT_TRUE(has(found, "renew"));
  EXPECT_FALSE(has(found, "acquire"));
  EXPECT_TRUE(has(candidates_for({"trash", ""}), "restore"));
  EXPECT_FALSE(has(candidates_for({""}), "__complete"));
}

TEST(Complete, OptionsOfTheVerbAndOfAllVerbs) {
  const Candidates found = candidates_for({"acquire", "x", "--"});
  EXPECT_TRUE(has(found, "--commit"));
  EXPECT_TRUE(has(found, "--pool"));
  EXPECT_FALSE(has(candidates_for({"acquire", "--comm"}), "--pool"));
}

TEST(Complete, ValuesThatAreKnownAndThoseOfTheDaemon) {
  EXPECT_TRUE(has(candidates_for({"daemon", "st"}), "start"));
  EXPECT_TRUE(has(candidates_for({"ci", "begin", "--for", ""}), "gitlab"));
  EXPECT_EQ(candidates_for({"--pool", ""}).live, Live::pools);
  EXPECT_EQ(candidates_for({"--pool", "app", "release", ""}).live, Live::held);
  EXPECT_EQ(candidates_for({"--pool", "app", "release", ""}).pool, "app");
  EXPECT_EQ(candidates_for({"repair", ""}).live, Live::slots);
  EXPECT_EQ(candidates_for({"trash", "drop", ""}).live, Live::trash);
  EXPECT_EQ(candidates_for({"release", "a", ""}).live, Live::none) << "it takes one";
}

TEST(Complete, AMisspeltVerbIsNamed) {
  const char* args[] = {"wtpool", "acqiure", "x"};
  const auto told = std::get<Told>(parse_options(args));
  EXPECT_EQ(told.exit_code, 2);
  EXPECT_NE(told.text.find("did you mean acquire?"), std::string::npos) << told.text;
  EXPECT_FALSE(nearest("zzz", {"ls", "run"}));
  EXPECT_FALSE(nearest("x", {"ls"})) << "two letters of one are no likeness";
}

TEST(Complete, HelpOfAVerbIsItsHelp) {
  const char* one[] = {"wtpool", "help", "acquire"};
  const auto told = std::get<Told>(parse_options(one));
  EXPECT_EQ(told.exit_code, 0);
  EXPECT_NE(told.text.find("Usage: wtpool acquire"), std::string::npos) << told.text;
  const char* all[] = {"wtpool", "help"};
  EXPECT_EQ(std::get<Told>(parse_options(all)).exit_code, 0);
}

}  // namespace
}  // namespace wtpool::client
