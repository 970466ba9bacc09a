// What the user approved: the hooks of a repository, each text as a file of its own below $XDG_STATE_HOME/wtpool/trusted, which
// is compared byte for byte. No hash: what is shown is what is compared.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wtpool::client {

struct TrustedFile {
  std::string path;   // from the repository's top directory
  std::string bytes;  // at the commit
};
// What is to be approved: the files that say what runs, and those that they start.
struct Approval {
  std::string source;
  std::vector<TrustedFile> files;
};
// As one text, from which nothing can be read in two ways: every part stands behind its length.
[[nodiscard]] std::string text_of(const Approval& approval);

class Trust {
 public:
  explicit Trust(const std::filesystem::path& state_dir) : directory_(state_dir / "trusted") {}

  // True where there is nothing to approve, too.
  [[nodiscard]] bool covers(const Approval& approval) const;
  // Some approval of this source has this very file.
  [[nodiscard]] bool knows(const std::string& source, const TrustedFile& file) const;
  void add(const Approval& approval) const;
  // How many approvals of the source were forgotten.
  int revoke(const std::string& source) const;

 private:
  [[nodiscard]] std::vector<std::filesystem::path> files() const;
  std::filesystem::path directory_;
};

}  // namespace wtpool::client
