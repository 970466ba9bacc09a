#include "daemon/git/process/scratch_index.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEmptyTrees[] = {"4b825dc642cb6eb9a060e54bf8d69288fbee4904",
                                            "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"};

}  // namespace

ScratchIndex::ScratchIndex(const Git& slot) : slot_(slot) {
  const fs::path own = fs::path(slot.place().git_dir) / "worktree-pool";
  make_directories(own);
  file_ = own / ("tmp-index-" + random_hex(16));
}

ScratchIndex::~ScratchIndex() {
  ::unlink(file_.c_str());
  ::unlink((file_.string() + ".lock").c_str());
}

void ScratchIndex::copy_from_slot() {
  const fs::path real = fs::path(slot_.place().git_dir) / "index";
  const auto stat = lstat_of(real);
  if (!stat) return;  // no index is an empty one
  if (!S_ISREG(stat->st_mode)) throw io_error("cannot read", real, EINVAL);
  std::ifstream in(real, std::ios::binary);
  std::ofstream out(file_, std::ios::binary);
  if (stat->st_size > 0) out << in.rdbuf();
  out.close();
  if (!in || !out) throw io_error("cannot copy", real, errno == 0 ? EIO : errno);
  // git trusts the sizes and times in an index unless they are as young as its file: a younger copy would be trusted more.
  std::error_code failed;
  fs::last_write_time(file_, fs::last_write_time(real, failed), failed);
  if (failed) throw io_error("cannot set the time of", file_, failed.value());
}

std::string ScratchIndex::git(const std::vector<std::string>& arguments, std::string input) const {
  Command command;
  command.arguments = {"-c", "core.safecrlf=false", "-c", "core.splitIndex=false", "-c", "core.untrackedCache=false"};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.input = std::move(input);
  command.environment = {{"GIT_INDEX_FILE", file_.string()}};
  command.may_filter = true;
  command.output_limit = kWholeTree;
  return slot_.must(command);
}

Oid ScratchIndex::write_tree() const {
  const Oid tree(trimmed(git({"write-tree"})));
  // git knows the empty tree by heart and does not write it, but its fsck misses it.
  if (std::find(std::begin(kEmptyTrees), std::end(kEmptyTrees), tree.str()) != std::end(kEmptyTrees))
    git({"hash-object", "-w", "-t", "tree", "--stdin"});
  return tree;
}

void ScratchIndex::set_entries(const std::string& lines) const {
  if (!lines.empty()) git({"update-index", "-z", "--index-info"}, lines);
}

void ScratchIndex::update(std::vector<std::string> options, const std::vector<std::string>& paths) const {
  if (paths.empty()) return;
  std::string input;
  for (const std::string& path : paths) input += path + '\0';
  options.insert(options.begin(), "update-index");
  options.insert(options.end(), {"-z", "--stdin"});
  git(options, std::move(input));
}

namespace {

// error: failed to encode 'PATH' from UTF-16 to UTF-8
std::optional<std::string> not_encodable(const proto::Error& error) {
  constexpr std::string_view kSays = "failed to encode '";
  if (!error.git) return std::nullopt;
  const std::string& text = error.git->stderr_tail;
  const std::size_t begin = text.find(kSays);
  const std::size_t end = begin == std::string::npos ? begin : text.find("' from ", begin);
  if (end == std::string::npos) return std::nullopt;
  return text.substr(begin + kSays.size(), end - begin - kSays.size());
}

}  // namespace

void ScratchIndex::add_files(std::vector<std::string> paths) const {
  std::string raw;
  for (;;) {
    try {
      update({"--add", "--replace"}, paths);
      break;
    } catch (const proto::Error& error) {
      const auto path = not_encodable(error);
      const auto found = path ? std::find(paths.begin(), paths.end(), *path) : paths.end();
      if (found == paths.end()) throw;
      const fs::path file = fs::path(slot_.place().work_tree) / *path;
      const auto stat = lstat_of(file);
      const bool runs = stat && (stat->st_mode & S_IXUSR) != 0;
      raw += std::string(runs ? "100755 " : "100644 ") +
             trimmed(git({"hash-object", "-w", "--no-filters", "--", file.string()})) + " 0\t" + *path + '\0';
      paths.erase(found);
    }
  }
  set_entries(raw);
}

std::vector<std::string> ScratchIndex::paths() const { return split(git({"ls-files", "-z"}), '\0'); }

}  // namespace wtpool::git
