#include "daemon/disk/submodules_record.hpp"

#include <algorithm>
#include <array>

#include "common/files/files.hpp"

namespace wtpool::disk {
namespace {

constexpr std::size_t kMost = std::size_t{64} << 20;
constexpr std::string_view kLetters = "abtnvfr\"\\";
constexpr std::string_view kMeanings = "\a\b\t\n\v\f\r\"\\";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

// As git with core.quotePath: in quotes when there is anything that is no plain ASCII.
std::string c_quoted(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const std::size_t known = c == '\0' ? std::string_view::npos : kMeanings.find(c);
    if (known != std::string_view::npos) {
      out += '\\';
      out += kLetters[known];
    } else if (is_plain(c)) {
      out += c;
    } else {
      out += '\\';
      for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + ((byte >> shift) & 7U));
    }
  }
  return out + "\"";
}

// Three octal digits at the front of `text`.
std::optional<char> octal(std::string_view text) {
  if (text.size() < 3 || text[0] > '3') return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, 3)) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<unsigned>(c - '0');
  }
  if (value == 0) return std::nullopt;  // no path has one
  return static_cast<char>(static_cast<unsigned char>(value));
}

std::optional<std::string> unquoted(std::string_view text) {
  if (!text.starts_with('"'))
    return std::all_of(text.begin(), text.end(), is_plain) ? std::optional(std::string(text)) : std::nullopt;
  if (text.size() < 2 || !text.ends_with('"')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return std::nullopt;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (const std::size_t known = kLetters.find(text[i]); known != std::string_view::npos) {
      out += kMeanings[known];
    } else if (const auto byte = octal(text.substr(i))) {
      out += *byte;
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

bool is_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<SubmoduleRecord> parse_line(std::string_view line) {
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t tab = line.find('\t');
    if ((tab == std::string_view::npos) != (i + 1 == fields.size())) return std::nullopt;
    fields[i] = line.substr(0, tab);
    if (tab != std::string_view::npos) line.remove_prefix(tab + 1);
  }
  const auto path = unquoted(fields[0]);
  const auto name = unquoted(fields[1]);
  const auto mirror = unquoted(fields[2]);
  if (!path || !name || !mirror || path->empty() || name->empty() || mirror->empty() || !is_id(fields[3])) return std::nullopt;
  return SubmoduleRecord{*path, *name, *mirror, Oid(std::string(fields[3]))};
}

}  // namespace

std::string format_submodules(const std::vector<SubmoduleRecord>& records) {
  std::string text;
  for (const SubmoduleRecord& record : records)
    text +=
        c_quoted(record.path) + "\t" + c_quoted(record.name) + "\t" + c_quoted(record.mirror) + "\t" + record.at.str() + "\n";
  return text;
}

std::optional<std::vector<SubmoduleRecord>> parse_submodules(std::string_view text) {
  std::vector<SubmoduleRecord> records;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    auto record = parse_line(text.substr(0, end));
    if (!record) return std::nullopt;
    records.push_back(std::move(*record));
    text.remove_prefix(end + 1);
  }
  return records;
}

void write_submodules(const path& file, const std::vector<SubmoduleRecord>& records) {
  write_durably(file, format_submodules(records));
}

std::optional<std::vector<SubmoduleRecord>> read_submodules(const path& file) {
  try {
    const auto text = read_file(file, kMost);
    return text ? parse_submodules(*text) : std::nullopt;
  } catch (const proto::Error&) {
    return std::nullopt;
  }
}

}  // namespace wtpool::disk
