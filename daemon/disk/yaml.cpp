#include "daemon/disk/yaml.hpp"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <set>
#include <sstream>

namespace wtpool::disk::yaml {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Words that some YAML reader takes for a bool or a null.
bool is_reserved(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWords{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool may_be_plain(std::string_view text) {
  if (text.empty() || !(is_letter(text.front()) || text.front() == '/') || is_reserved(text)) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '/' || c == '.' || c == '_' || c == '-'; });
}

// Notes where the documents of a text start.
class Starts : public YAML::EventHandler {
 public:
  [[nodiscard]] const YAML::Mark& last() const { return last_; }

  void OnDocumentStart(const YAML::Mark& mark) override { last_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  YAML::Mark last_;
};

// YAML::LoadAll would read all of them, and on some texts ("!x ...\n? ") it never comes to an end: it is given the same empty
// document again and again until memory is out. Two are read here, never more.
void refuse_a_second_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Starts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return;
  const YAML::Mark& mark = starts.last();
  throw Fault{mark.line + 1, mark.column + 1, "a second document starts here; one is expected"};
}

Fault fault_of(const YAML::Exception& failure) { return {failure.mark.line + 1, failure.mark.column + 1, failure.msg}; }

}  // namespace

Fault fault_at(const YAML::Node& node, std::string what) {
  const YAML::Mark mark = node.Mark();
  return {mark.line + 1, mark.column + 1, std::move(what)};
}

YAML::Node load_map(const std::string& text, std::size_t limit) {
  if (text.size() > limit) throw Fault{0, 0, "it has more than " + std::to_string(limit) + " bytes"};
  if (text.find('\0') != std::string::npos) throw Fault{0, 0, "it has NUL bytes"};
  try {
    refuse_a_second_document(text);
    YAML::Node map = YAML::Load(text);
    if (map.IsNull()) map = YAML::Node(YAML::NodeType::Map);
    if (!map.IsMap()) throw fault_at(map, "keys with values are expected here");
    std::set<std::string> seen;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) throw fault_at(entry.first, "a key must be a word");
      if (!seen.insert(entry.first.Scalar()).second) throw fault_at(entry.first, "the key stands here a second time");
    }
    return map;
  } catch (const YAML::Exception& failure) {
    throw fault_of(failure);
  } catch (const std::exception& failure) {
    throw Fault{0, 0, failure.what()};
  }
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string scalar(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (may_be_plain(text)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += "\\x";
      quoted += kHex[byte >> 4];
      quoted += kHex[byte & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace wtpool::disk::yaml
