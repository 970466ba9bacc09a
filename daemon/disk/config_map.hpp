// A config file as a map of known keys, each fault of which names file, line and column. Internal to this room.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/disk/yaml.hpp"
#include "proto/errors.hpp"

namespace wtpool::disk {

class ConfigMap {
 public:
  // Throws proto::Error(bad_config), like all below.
  ConfigMap(const std::string& text, const std::filesystem::path& file, const std::set<std::string>& known_keys);

  // Absent and null are the same: the key says nothing.
  [[nodiscard]] bool names(const std::string& key) const { return value(key).has_value(); }
  [[nodiscard]] std::optional<std::string> text(const std::string& key) const;
  [[nodiscard]] std::optional<std::int64_t> number(const std::string& key, std::int64_t least, std::int64_t most) const;
  [[nodiscard]] std::optional<bool> boolean(const std::string& key) const;  // true or false
  [[nodiscard]] std::optional<std::chrono::seconds> duration(const std::string& key) const;
  // A list of words, or one text with commas between them.
  [[nodiscard]] std::vector<std::string> words(const std::string& key) const;
  // A list of maps; empty when the key says nothing.
  [[nodiscard]] std::vector<YAML::Node> maps(const std::string& key) const;
  [[nodiscard]] proto::Error error(const yaml::Fault& fault) const;
  // A map of such lists.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> word_lists(const std::string& key) const;
  [[nodiscard]] proto::Error wrong(const std::string& key, const std::string& why) const;
  [[nodiscard]] std::optional<YAML::Node> value(const std::string& key) const;

 private:
  std::filesystem::path file_;
  YAML::Node map_;
};

}  // namespace wtpool::disk
