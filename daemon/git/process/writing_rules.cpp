#include "daemon/git/process/writing_rules.hpp"

#include <cstdlib>
#include <filesystem>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/filters.hpp"
#include "daemon/git/process/killed_gits.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargest = std::size_t{4} << 20;

// FNV-1a: two texts that differ by somebody's edit are told apart, and nobody gains by forging one.
std::string digest(const std::string& text) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return std::to_string(hash) + "-" + std::to_string(text.size());
}

std::string content_of(const fs::path& file) {
  try {
    return file.string() + '\0' + read_file(file, kLargest).value_or("") + '\0';
  } catch (const proto::Error&) {
    return file.string() + '\0';
  }
}

fs::path home() {
  const char* const value = std::getenv("HOME");
  return value == nullptr ? fs::path() : fs::path(value);
}

fs::path attributes_of_user(const std::string& listing) {
  constexpr std::string_view kKey = "core.attributesfile\n";
  fs::path named;
  for (const std::string& field : split(listing, '\0')) {
    if (field.starts_with(kKey)) named = field.substr(kKey.size());
  }
  if (named.string().starts_with("~/")) return home() / named.string().substr(2);
  if (!named.empty()) return named;
  const char* const xdg = std::getenv("XDG_CONFIG_HOME");
  return (xdg == nullptr || *xdg == '\0' ? home() / ".config" : fs::path(xdg)) / "git/attributes";
}

// As Git itself lists them before it runs a filter, and remembered with that.
std::string settings_of(const Git& source) {
  const std::string common = common_dir_of(source.place());
  return filter_listing(common, common, [&source] {
    Command ask;
    ask.arguments = {"config", "--show-scope", "-z", "--get-regexp",
                     "^((filter|include|includeif)\\.|core\\.(autocrlf|eol|attributesfile|symlinks)$)"};
    const ChildResult listed = source.run(ask);
    return listed.exit_code == 1 ? std::string() : listed.ok() ? listed.output : source.must(ask);  // 1: there is none
  });
}

}  // namespace

std::string writing_rules(const Git& source) {
  const std::string listing = settings_of(source);
  std::string text = listing;
  for (const std::string& driver : source.context().allowed_filters) text += driver + '\0';
  text += content_of(fs::path(common_dir_of(source.place())) / "info/attributes");
  text += content_of(attributes_of_user(listing));
  text += content_of("/etc/gitattributes");
  return digest(text);
}

}  // namespace wtpool::git
