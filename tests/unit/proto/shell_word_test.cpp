#include "proto/shell_word.hpp"

#include <gtest/gtest.h>
#include <stdio.h>

namespace wtpool::proto {
namespace {

// What a shell makes of it, followed by one line of how many words that are.
std::string read_by_sh(const std::string& word) {
  const std::string command = "set -- " + word + "; printf '%s' \"$1\"; echo; echo $#";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  for (int c = 0; pipe != nullptr && (c = ::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  if (pipe != nullptr) ::pclose(pipe);
  return text;
}

TEST(ShellWords, AreLeftAloneWhereEveryShellReadsThemAsTheyAre) {
  for (const char* text : {"x", "feature/login", "/home/a_b/app.git", "a@b", "50%", "a+b", "k=v", "a:b,c.d-e"})
    EXPECT_EQ(shell_word(text), text);
}

TEST(ShellWords, AreQuotedElse) {
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("/tmp/my repo"), "'/tmp/my repo'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("x$(reboot)"), "'x$(reboot)'");
  EXPECT_EQ(shell_word("~root"), "'~root'");
  EXPECT_EQ(shell_word("=ls"), "'=ls'");
  EXPECT_EQ(shell_word("gr\xc3\xbcn"), "'gr\xc3\xbcn'");
}

TEST(ShellWords, AreNoOptions) {
  EXPECT_EQ(shell_word("-rf"), "./-rf");
  EXPECT_EQ(shell_word("-r f"), "./'-r f'");
}

TEST(ShellWords, AreReadByAShellAsTheTextTheyWereMadeOf) {
  for (const std::string text :
       {"",    "x",     "a b", "it's", "'", "''", "a\"b", "a$b", "$(echo no)", "`echo no`", "a;b",  "a&b",  "a|b",        "a>b",
        "(a)", "{a,b}", "*",   "[a]",  "?", "!a", "#a",   "~",   "=a",         "a\\b",      "a\nb", "a\tb", "gr\xc3\xbcn"})
    EXPECT_EQ(read_by_sh(shell_word(text)), text + "\n1\n");
}

}  // namespace
}  // namespace wtpool::proto
