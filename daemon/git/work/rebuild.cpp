#include "daemon/git/work/rebuild.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/git/files/index_file.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/process/killed_gits.hpp"
#include "daemon/git/tree/blocking_files.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

// Ids in what git says: as they are, or as the path of a loose object, with a slash after two digits.
std::set<std::string> ids_in(std::string_view said) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::set<std::string> ids;
  for (std::size_t begin = 0; begin < said.size();) {
    const std::size_t end = std::min(said.find_first_not_of(kDigits, begin), said.size());
    std::string id(said.substr(begin, end - begin));
    const bool below = begin >= 3 && said[begin - 1] == '/' && kDigits.find(said[begin - 2]) != std::string_view::npos &&
                       kDigits.find(said[begin - 3]) != std::string_view::npos;
    if (below && (id.size() == 38 || id.size() == 62)) id.insert(0, said.substr(begin - 3, 2));
    if (oid_from(id)) ids.insert(std::move(id));
    begin = end + 1;
  }
  return ids;
}

// Only what git says of the content counts: that it could not open the file, or had no memory, says nothing of it.
bool is_damaged_object(const Git& git, const std::string& id) {
  const auto says_so = [](const ChildResult& result) {
    const auto words = {"is empty", "is corrupt", "corrupt loose object", "unable to unpack", "inflate: data stream error"};
    return !result.ok() && std::any_of(words.begin(), words.end(),
                                       [&](const char* word) { return result.error_tail.find(word) != std::string::npos; });
  };
  Command type;
  type.arguments = {"cat-file", "-t", id};
  const auto said = git.run(type);
  Command whole;  // of the wrong type git says first what is the matter with the content
  whole.arguments = {"cat-file", said.ok() ? trimmed(said.output) : "blob", id};
  return says_so(git.run(whole));
}

// Of the files as they stand: git makes the same object of them, or another, which does no harm.
void write_staged_again(const Git& slot, const std::set<std::string>& ids) {
  Command list;
  list.arguments = {"ls-files", "-s", "-z"};
  list.output_limit = kWholeTree;
  Command write;
  write.arguments = {"hash-object", "-w", "--stdin-paths"};
  const auto listed = slot.run(list);
  if (!listed.ok()) return;  // nothing is known to be staged
  for (const std::string& item : split(listed.output, '\0')) {
    // <mode> <oid> <stage>\t<path>
    const std::size_t tab = item.find('\t');
    const std::size_t space = item.find(' ', 7);
    if (tab == std::string::npos || space == std::string::npos || space > tab || !ids.contains(item.substr(7, space - 7)))
      continue;
    const fs::path file = fs::path(slot.place().work_tree) / item.substr(tab + 1);
    const auto stat = lstat_of(file);
    if (stat && S_ISREG(stat->st_mode) && file.native().find('\n') == std::string::npos) write.input += file.string() + "\n";
  }
  if (write.input.empty()) return;
  write.durable = true;
  write.may_filter = true;
  (void)slot.must(write);
}

}  // namespace

std::optional<fs::path> mend_index(const Git& slot) {
  const fs::path entry = slot.place().git_dir;
  const fs::path index = entry / "index";
  // git is not asked: it takes what is cut for whole now and then, and only says so when it is to write it.
  if (!is_damaged_index(index)) return std::nullopt;
  remove_blocking_files(slot, blocking_files_of(slot));
  const fs::path own = entry / "worktree-pool";
  make_directories(own);
  const fs::path made = own / ("tmp-index-" + random_hex(16));
  const fs::path aside = own / ("damaged-index-" + random_hex(8));
  Command rebuild;
  rebuild.arguments = {"reset", "-q", "--", ":(top)"};
  rebuild.environment = {{"GIT_INDEX_FILE", made.string()}};
  rebuild.durable = true;
  rebuild.may_filter = true;
  try {
    (void)slot.must(rebuild);
  } catch (const proto::Error&) {
    ::unlink(made.c_str());
    ::unlink((made.string() + ".lock").c_str());
    throw;
  }
  if (::link(index.c_str(), aside.c_str()) != 0) throw io_error("cannot keep", index, errno);
  if (::rename(made.c_str(), index.c_str()) != 0) throw io_error("cannot replace", index, errno);
  sync_directory(own);
  sync_directory(entry);
  return aside;
}

std::size_t set_damaged_objects_aside(const Git& slot, const std::string& said) {
  const fs::path common = common_dir_of(slot.place());
  std::set<std::string> moved;
  for (const std::string& id : ids_in(said)) {
    const fs::path loose = common / "objects" / id.substr(0, 2) / id.substr(2);
    const auto stat = lstat_of(loose);
    if (!stat || !S_ISREG(stat->st_mode) || !is_damaged_object(slot, id)) continue;
    const fs::path aside = common / "wtpool/aside";
    make_directories(aside);
    const fs::path to = aside / ("object-" + id + "-" + random_hex(8));
    if (::rename(loose.c_str(), to.c_str()) != 0) throw io_error("cannot move aside", loose, errno);
    moved.insert(id);
  }
  if (!moved.empty()) write_staged_again(slot, moved);
  return moved.size();
}

}  // namespace wtpool::git
