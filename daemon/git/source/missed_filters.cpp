#include "daemon/git/source/missed_filters.hpp"

#include <filesystem>
#include <set>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {

std::vector<std::string> drivers_missed(const Git& source, const Oid& commit) {
  const auto off = source.drivers_off();
  if (off.empty()) return {};
  Command grep;
  grep.arguments = {"grep", "--no-color", "-h",         "-a", "-F",
                    "-e",   "filter=",    commit.str(), "--", ":(top,glob)**/.gitattributes"};
  std::string text;
  try {
    const ChildResult found = source.run(grep);  // 1: none does
    if (found.ok()) text = found.output;
    text += "\n" + read_file(std::filesystem::path(source.place().git_dir) / "info/attributes").value_or("");
  } catch (const proto::Error& error) {
    if (error.kind == proto::ErrorKind::cancelled) throw;  // else: what only a warning is for is no reason to fail
  }
  std::set<std::string> named;
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with('#')) continue;
    std::string spaced = line;
    for (char& c : spaced) c = c == '\t' || c == '\r' ? ' ' : c;
    for (const std::string& word : split(spaced, ' ')) {
      if (word.starts_with("filter=")) named.insert(word.substr(7));
    }
  }
  std::vector<std::string> missed;
  for (const std::string& driver : off) {
    if (named.contains(driver)) missed.push_back(driver);
  }
  return missed;
}

}  // namespace wtpool::git
