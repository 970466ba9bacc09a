#include "daemon/git/tree/checkout_settings.hpp"

#include "common/files/files.hpp"
#include "daemon/git/files/checksum.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {

std::string checkout_settings(const Git& source, const std::vector<std::string>& filters) {
  Command command;
  command.arguments = {
      "config", "-z", "--get-regexp",
      "^(core\\.(autocrlf|eol|symlinks|filemode|safecrlf|ignorecase|precomposeunicode|attributesfile)|filter\\..*)$"};
  const auto found = source.run(command);
  std::string all = found.ok() ? found.output : std::string{};
  for (const std::string& filter : filters) all += filter + '\n';
  const std::filesystem::path common = source.place().source.empty() ? source.place().git_dir : source.place().source;
  all += '\0' + read_file(common / "info/attributes").value_or(std::string{});
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : sha256(all)) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

std::vector<std::string> ignored_pieces(const Git& slot) {
  Command command;
  command.arguments = {"ls-files", "-z", "-o", "-i", "--exclude-standard", "--directory"};
  command.directory = slot.place().work_tree;
  command.output_limit = kWholeTree;
  std::vector<std::string> pieces = split(slot.must(command), '\0');
  for (std::string& piece : pieces)
    if (piece.ends_with('/')) piece.pop_back();
  std::erase_if(pieces, [](const std::string& piece) { return piece.empty(); });
  return pieces;
}

}  // namespace wtpool::git
