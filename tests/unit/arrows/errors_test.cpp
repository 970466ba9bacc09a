// Every error of the programs, read where it is made: its hint is a command, and one that ends nobody else's work.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace wtpool {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The arguments of a call from `at` on, up to its end.
std::vector<std::string> arguments_at(const std::string& text, std::size_t at) {
  std::vector<std::string> found(1);
  int depth = 0;
  for (bool quoted = false; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      found.back() += c;
      if (c == '\\' && at + 1 < text.size()) found.back() += text[++at];
      quoted = c != '"' || found.back()[found.back().size() - 2] == '\\';
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '\'') {  // a character: it may be any of those that count
      at = text.find('\'', at + (text[at + 1] == '\\' ? 3 : 2));
      continue;
    }
    if (depth == 0 && (c == ')' || c == '}' || c == ';')) return found;
    depth += c == '(' || c == '{' || c == '[' ? 1 : c == ')' || c == '}' || c == ']' ? -1 : 0;
    if (depth == 0 && c == ',') {
      found.emplace_back();
    } else {
      found.back() += c;
    }
  }
  return found;
}

// What an expression begins with, where that is a literal.
std::string literal_at_its_begin(const std::string& expression) {
  const std::size_t begin = expression.find_first_not_of(" \n\t");
  if (begin == std::string::npos || expression[begin] != '"') return {};
  return expression.substr(begin + 1, expression.find('"', begin + 1) - begin - 1);
}

// What helps where no command does: a repository has to be put back, a file to be corrected by hand.
bool is_no_command_and_may_be(const std::string& hint) {
  const auto may = {"put the repository back", "set source: back in ", "correct ", "choose a directory"};
  return std::any_of(may.begin(), may.end(), [&](const char* words) { return hint.starts_with(words); });
}

bool is_command(const std::string& hint) {
  const auto programs = {"wtpool", "git", "ls",  "rm",      "chmod", "chown",  "sudo",
                         "mv",     "df",  "man", "apt-get", "unset", "export", "systemctl"};
  const std::string first = hint.substr(0, hint.find(' '));
  return std::any_of(programs.begin(), programs.end(), [&](const char* program) { return first == program; });
}

struct Hint {
  std::string where;
  std::string text;
};

std::vector<Hint> all_hints() {
  std::vector<Hint> hints;
  const std::regex kind("ErrorKind::[a-z_]+,\\s*");
  for (const char* room : {"client", "common", "daemon", "proto"}) {
    for (const auto& item : fs::recursive_directory_iterator(fs::path(WTPOOL_SOURCE_DIR) / room)) {
      if (item.path().extension() != ".cpp") continue;
      const std::string text = text_of(item.path());
      for (auto at = std::sregex_iterator(text.begin(), text.end(), kind); at != std::sregex_iterator(); ++at) {
        const auto arguments = arguments_at(text, static_cast<std::size_t>(at->position() + at->length()));
        if (arguments.size() < 2) continue;
        if (const auto hint = literal_at_its_begin(arguments[1]); !hint.empty()) hints.push_back({item.path().string(), hint});
      }
    }
  }
  return hints;
}

TEST(EveryError, HasAHintThatIsACommand) {
  const auto hints = all_hints();
  EXPECT_GT(hints.size(), 40U) << "they are not found any more";
  for (const auto& hint : hints)
    EXPECT_TRUE(is_command(hint.text) || is_no_command_and_may_be(hint.text)) << hint.where << ": " << hint.text;
}

// A release is hinted to who holds the slot himself: in a release that he asked for, and in what a doctor finds.
TEST(EveryError, HintsNobodyToEndWhatIsAnothers) {
  for (const auto& hint : all_hints()) {
    const bool ends = hint.text.starts_with("wtpool release") || hint.text.starts_with("kill") ||
                      hint.text.find(" --force") != std::string::npos;
    EXPECT_FALSE(ends) << hint.where << ": " << hint.text;
  }
}

}  // namespace
}  // namespace wtpool
