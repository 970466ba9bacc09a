#include "tests/faults/power/trace.hpp"

#include <charconv>
#include <map>
#include <stdexcept>

namespace wtpool::test::power {
namespace {

[[noreturn]] void unreadable(std::string_view what, std::string_view line) {
  throw std::runtime_error("trace: " + std::string(what) + ": " + std::string(line.substr(0, 400)));
}

std::string unescaped(std::string_view hex) {
  std::string text;
  for (std::size_t at = 0; at < hex.size();) {
    if (hex[at] != '\\') {
      text += hex[at++];
      continue;
    }
    unsigned value = 0;
    if (hex.size() < at + 4 || std::from_chars(hex.data() + at + 2, hex.data() + at + 4, value, 16).ec != std::errc{})
      unreadable("an escape that is none", hex);
    text += static_cast<char>(value);
    at += 4;
  }
  return text;
}

// With -xx a quote never stands inside of a text, so quotes and brackets need no care for escapes.
std::vector<std::string> split_arguments(std::string_view text) {
  std::vector<std::string> arguments;
  std::string current;
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') quoted = !quoted;
    if (!quoted) {
      if (c == '[' || c == '{' || c == '(') ++depth;
      if (c == ']' || c == '}' || c == ')') --depth;
      if (c == ',' && depth == 0) {
        arguments.push_back(std::move(current));
        current.clear();
        while (at + 1 < text.size() && text[at + 1] == ' ') ++at;
        continue;
      }
    }
    current += c;
  }
  if (!current.empty()) arguments.push_back(std::move(current));
  return arguments;
}

struct Begun {
  std::string text;  // up to where strace broke off
  std::size_t line = 0;
};

// "name(arguments) = result ..."; nothing when the call failed or never returned.
std::optional<Call> read_call(std::string_view line) {
  const auto open = line.find('(');
  const auto equals = line.rfind(" = ");
  if (open == std::string_view::npos || equals == std::string_view::npos) unreadable("no call", line);
  const auto close = line.find_last_not_of(' ', equals);
  if (close == std::string_view::npos || line[close] != ')' || close < open) unreadable("no end of the arguments", line);
  Call call;
  const auto result = number_of(line.substr(equals + 3));
  if (!result || *result < 0) return std::nullopt;
  call.result = *result;
  call.name = std::string(line.substr(0, open));
  call.arguments = split_arguments(line.substr(open + 1, close - open - 1));
  return call;
}

}  // namespace

std::string text_of(std::string_view argument) {
  std::string text;
  for (std::size_t open = argument.find('"'); open != std::string_view::npos;) {
    const auto close = argument.find('"', open + 1);
    if (close == std::string_view::npos) unreadable("no end of a text", argument);
    if (argument.substr(close + 1).starts_with("...")) unreadable("a text was cut", argument);
    text += unescaped(argument.substr(open + 1, close - open - 1));
    open = argument.find('"', close + 1);
  }
  return text;
}

std::string target_of(std::string_view argument) {
  const auto open = argument.find('<');
  const auto close = argument.find('>', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return unescaped(argument.substr(open + 1, close - open - 1)) + std::string(argument.substr(close + 1));
}

std::optional<long> number_of(std::string_view argument) {
  long value = 0;
  const auto* const end = argument.data() + argument.size();
  if (argument.starts_with("0x")) {
    if (std::from_chars(argument.data() + 2, end, value, 16).ec != std::errc{}) return std::nullopt;
    return value;
  }
  const int base = argument.size() > 1 && argument[0] == '0' ? 8 : 10;
  if (std::from_chars(argument.data(), end, value, base).ec != std::errc{}) return std::nullopt;
  return value;
}

std::vector<Call> read_trace(const std::string& text) {
  static constexpr std::string_view kUnfinished = " <unfinished ...>";
  static constexpr std::string_view kResumed = " resumed>";
  std::vector<Call> calls;
  std::map<pid_t, Begun> begun;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const auto end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    const auto process = number_of(line);
    if (!process) unreadable("no process", line);
    line.remove_prefix(std::min(line.find_first_not_of(" 0123456789"), line.size()));
    if (line.empty() || line.starts_with("---") || line.starts_with("+++")) continue;
    const auto pid = static_cast<pid_t>(*process);
    std::string whole(line);
    std::size_t began = number;
    if (line.starts_with("<... ")) {
      const auto resumed = line.find(kResumed);
      const auto first = begun.find(pid);
      if (resumed == std::string_view::npos || first == begun.end()) unreadable("an end without a beginning", line);
      whole = first->second.text + std::string(line.substr(resumed + kResumed.size()));
      began = first->second.line;
      begun.erase(first);
    } else if (line.ends_with(kUnfinished)) {
      begun[pid] = {whole.substr(0, whole.size() - kUnfinished.size()), number};
      continue;
    }
    if (whole.find(" = ?") != std::string::npos) continue;
    if (auto call = read_call(whole)) {
      call->process = pid;
      call->began = began;
      call->ended = number;
      calls.push_back(std::move(*call));
    }
  }
  return calls;
}

}  // namespace wtpool::test::power
