#include "daemon/disk/config_map.hpp"

#include <algorithm>

#include "common/base/duration.hpp"
#include "common/base/names.hpp"
#include "daemon/disk/config.hpp"

namespace wtpool::disk {
namespace {

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

}  // namespace

ConfigMap::ConfigMap(const std::string& text, const std::filesystem::path& file, const std::set<std::string>& known_keys)
    : file_(file) {
  try {
    map_ = yaml::load_map(text);
    for (const auto& entry : map_)
      if (!known_keys.contains(entry.first.Scalar()))
        throw yaml::fault_at(entry.first, "unknown key '" + entry.first.Scalar() + "'");
  } catch (const yaml::Fault& fault) {
    throw error(fault);
  }
}

proto::Error ConfigMap::error(const yaml::Fault& fault) const {
  const std::string place =
      fault.line > 0 ? ":" + std::to_string(fault.line) + ":" + std::to_string(fault.column) : std::string();
  return {proto::ErrorKind::bad_config, printable(file_.native()) + place + ": " + printable(fault.what)};
}

proto::Error ConfigMap::wrong(const std::string& key, const std::string& why) const {
  const YAML::Node node = map_[key];
  if (!node.IsDefined()) return error({0, 0, key + " " + why});
  return error(yaml::fault_at(node, key + " " + why));
}

std::optional<YAML::Node> ConfigMap::value(const std::string& key) const {
  YAML::Node node = map_[key];
  if (!node.IsDefined() || node.IsNull()) return std::nullopt;
  return node;
}

std::optional<std::string> ConfigMap::text(const std::string& key) const {
  const auto node = value(key);
  if (!node) return std::nullopt;
  if (!node->IsScalar()) throw wrong(key, "takes a single value");
  if (node->Scalar().empty()) throw wrong(key, "is empty");
  return node->Scalar();
}

std::optional<std::int64_t> ConfigMap::number(const std::string& key, std::int64_t least, std::int64_t most) const {
  const auto node = value(key);
  if (!node) return std::nullopt;
  const std::string takes = "takes a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  // A quoted scalar carries this tag: text, whatever digits it holds.
  if (!node->IsScalar() || node->Tag() == "!") throw wrong(key, takes);
  const auto number = yaml::whole_number(node->Scalar());
  if (!number || *number < least || *number > most) throw wrong(key, takes + ", not '" + node->Scalar() + "'");
  return number;
}

std::optional<bool> ConfigMap::boolean(const std::string& key) const {
  const auto written = text(key);
  if (!written) return std::nullopt;
  if (*written != "true" && *written != "false") throw wrong(key, "takes true or false, not '" + *written + "'");
  return *written == "true";
}

std::optional<std::chrono::seconds> ConfigMap::duration(const std::string& key) const {
  const auto written = text(key);
  if (!written) return std::nullopt;
  const auto parsed = parse_duration(*written);
  if (!parsed) throw wrong(key, "takes a duration such as 90s, 10m, 24h or 7d, not '" + *written + "'");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*parsed);
  if (seconds.count() <= 0) throw wrong(key, "must be longer than nothing");
  return seconds;
}

std::vector<std::string> ConfigMap::words(const std::string& key) const {
  const auto node = value(key);
  if (!node) return {};
  std::vector<std::string> words;
  if (node->IsScalar()) {
    std::string_view rest = node->Scalar();
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      words.push_back(trimmed(rest.substr(0, comma)));
      const bool trailing = comma + 1 == rest.size();
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (trailing) words.emplace_back();
    }
  } else if (node->IsSequence()) {
    for (const YAML::Node& item : *node) {
      if (!item.IsScalar()) throw wrong(key, "takes a list of words");
      words.push_back(item.Scalar());
    }
  } else {
    throw wrong(key, "takes a list of words");
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].empty()) throw wrong(key, "has an empty word");
    if (std::find(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i), words[i]) !=
        words.begin() + static_cast<std::ptrdiff_t>(i))
      throw wrong(key, "names '" + words[i] + "' twice");
  }
  return words;
}

std::vector<YAML::Node> ConfigMap::maps(const std::string& key) const {
  const auto node = value(key);
  std::vector<YAML::Node> maps;
  if (!node) return maps;
  if (!node->IsSequence()) throw wrong(key, "takes a list");
  for (const YAML::Node& item : *node) {
    if (!item.IsMap()) throw error(yaml::fault_at(item, key + " takes a list of keys with values"));
    maps.push_back(item);
  }
  return maps;
}

std::map<std::string, std::vector<std::string>> ConfigMap::word_lists(const std::string& key) const {
  const auto node = value(key);
  std::map<std::string, std::vector<std::string>> lists;
  if (!node) return lists;
  if (!node->IsMap()) throw wrong(key, "takes a map of lists of words");
  for (const auto& entry : *node) {
    if (!entry.first.IsScalar() || !entry.second.IsSequence()) throw wrong(key, "takes a map of lists of words");
    auto& words = lists[entry.first.Scalar()];
    for (const YAML::Node& item : entry.second) {
      if (!item.IsScalar() || item.Scalar().empty()) throw wrong(key, "takes a map of lists of words");
      words.push_back(item.Scalar());
    }
  }
  return lists;
}

}  // namespace wtpool::disk
