#include "daemon/git/submodule/repository.hpp"

#include <unistd.h>

#include "common/files/files.hpp"
#include "daemon/git/files/text.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;
using proto::Error;
using proto::ErrorKind;

constexpr const char* kFilling = "wtpool-filling";  // there from before the .git file until the tree stands
constexpr std::string_view kOwnRefs = "refs/wtpool/";
constexpr std::size_t kMostRefs = std::size_t{1} << 30;
constexpr mode_t kMode = 0644;

// As git writes a value that may hold anything but a newline.
std::string config_value(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

std::string config_of(const SubmoduleOrder& order, const std::string& work_tree) {
  const bool sha256 = order.commit.str().size() == 64;
  std::string text = "[core]\n\trepositoryformatversion = " + std::string(sha256 ? "1" : "0") +
                     "\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n\tworktree = " + config_value(work_tree) +
                     "\n";
  if (sha256) text += "[extensions]\n\tobjectformat = sha256\n";
  return text + "[remote \"origin\"]\n\turl = " + config_value(order.url) + "\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n";
}

// The mirror's refs but those that are wtpool's own. A line that peels a tag goes with it.
std::string refs_for_slot(const fs::path& mirror) {
  const auto packed = read_file(mirror / "packed-refs", kMostRefs);
  if (!packed) return "";
  std::string kept;
  bool left_out = false;
  std::string_view rest = *packed;
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    const std::string_view line = rest.substr(0, end);
    if (!line.starts_with('^')) {
      const std::size_t space = line.find(' ');
      left_out = !line.starts_with('#') && space != std::string_view::npos && line.substr(space + 1).starts_with(kOwnRefs);
    }
    if (!left_out) kept += std::string(line) + "\n";
  }
  return kept;
}

class Filler {
 public:
  Filler(const Git& tree, const SubmoduleOrder& order)
      : order_(order),
        entry_(real_path(tree.place().git_dir)),
        top_(real_path(tree.place().work_tree)),
        repository_(entry_ / "modules" / order.name),
        directory_(top_ / order.path),
        git_(Place{repository_.string(), directory_.string()}, context_for(tree, true)),
        wary_git_(Place{repository_.string(), directory_.string()}, context_for(tree, false)) {}

  void fill() {
    if (!is_directory_no_follow(objects_of_mirror()))
      throw Error(ErrorKind::source_missing,
                  "cannot fill submodule " + order_.path + ": its mirror " + order_.mirror + " is away",
                  "ls -d -- " + proto::shell_word(order_.mirror));
    look_for_symlinks(entry_, fs::path("modules") / order_.name);
    look_for_symlinks(top_, order_.path);
    const bool ours = leads_here();
    if (!ours && !is_empty()) throw in_the_way(directory_);
    const bool finished = lstat_of(repository_ / "HEAD") && !lstat_of(repository_ / kFilling);
    make_directories(directory_);
    if (finished) {
      borrow();
      lead_here();
      bring_back(ours);
      return;
    }
    make_repository();
    lead_here();
    write_tree();
    ::unlink((repository_ / kFilling).c_str());
  }

 private:
  // A configuration that a holder could write may name any program as an allowed filter.
  static Context context_for(const Git& tree, bool own_config) {
    Context context = tree.context();
    if (!own_config) context.allowed_filters.clear();
    context.helpers.reset();
    context.remember_filters = false;
    return context;
  }
  [[nodiscard]] fs::path objects_of_mirror() const { return fs::path(order_.mirror) / "objects"; }
  [[nodiscard]] std::string gitfile() const { return "gitdir: " + repository_.lexically_relative(directory_).string() + "\n"; }
  [[nodiscard]] bool leads_here() const {
    const auto stat = lstat_of(directory_ / ".git");
    if (!stat || !S_ISREG(stat->st_mode)) return false;
    const auto text = read_file(directory_ / ".git");
    return text && *text == gitfile();
  }
  [[nodiscard]] bool is_empty() const {
    return !lstat_of(directory_) || (is_directory_no_follow(directory_) && children_of(directory_).empty());
  }
  [[nodiscard]] Error in_the_way(const fs::path& what) const {
    return Error(ErrorKind::blocked, "cannot fill submodule " + order_.path + ": " + what.string() + " is in the way",
                 "ls -la -- " + proto::shell_word(what.string()));
  }

  // What is not there yet may be made; what is there has to be a directory.
  void look_for_symlinks(const fs::path& from, const fs::path& below) const {
    fs::path at = from;
    for (const fs::path& part : below) {
      at /= part;
      if (lstat_of(at) && !is_directory_no_follow(at)) throw in_the_way(at);
    }
  }

  void borrow() const {
    make_directories(repository_ / "objects/info");
    write_atomically(repository_ / "objects/info/alternates", real_path(objects_of_mirror()).string() + "\n", kMode);
  }

  // HEAD is the last one: without it no git takes this for a repository.
  void make_repository() const {
    make_directories(repository_);
    write_atomically(repository_ / kFilling, "", kMode);
    for (const char* directory : {"objects/pack", "refs/heads", "refs/tags"}) make_directories(repository_ / directory);
    borrow();
    write_atomically(repository_ / "config", config_of(order_, directory_.lexically_relative(repository_).string()), kMode);
    const std::string refs = refs_for_slot(order_.mirror);
    if (!refs.empty()) write_atomically(repository_ / "packed-refs", refs, kMode);
    write_atomically(repository_ / "HEAD", order_.commit.str() + "\n", kMode);
  }

  void lead_here() const {
    if (!leads_here()) write_atomically(directory_ / ".git", gitfile(), kMode);
  }

  [[nodiscard]] Command in_submodule(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = std::move(arguments);
    command.environment = {{"GIT_ALLOW_PROTOCOL", "none"}, {"GIT_NO_LAZY_FETCH", "1"}};
    command.directory = directory_.string();
    command.may_filter = true;
    return command;
  }

  void write_tree() const {
    ::unlink((repository_ / "index.lock").c_str());  // of a git of ours that was killed: nobody else was here before
    git_.must(in_submodule({"read-tree", "-u", "--reset", "HEAD"}));
  }

  // In a place that was emptied the index that is left speaks of files that are gone; in one that is filled a file that
  // somebody changed is not overwritten.
  void bring_back(bool filled) const {
    if (filled) {
      wary_git_.must(in_submodule({"checkout", "-q", "--detach", order_.commit.str(), "--"}));
      return;
    }
    ::unlink((repository_ / "index").c_str());
    Command move = in_submodule({"update-ref", "-m", "wtpool: filled", "--no-deref", "HEAD", order_.commit.str()});
    move.durable = true;
    wary_git_.must(move);
    wary_git_.must(in_submodule({"read-tree", "-u", "--reset", "HEAD"}));
  }

  const SubmoduleOrder& order_;
  fs::path entry_;
  fs::path top_;
  fs::path repository_;
  fs::path directory_;
  Git git_;
  Git wary_git_;
};

}  // namespace

fs::path submodule_repository(const Git& tree, const std::string& name) {
  return real_path(tree.place().git_dir) / "modules" / name;
}

void fill_submodule(const Git& tree, const SubmoduleOrder& order) { Filler(tree, order).fill(); }

}  // namespace wtpool::git
