#include "tests/faults/power/recording.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "tests/support/repo.hpp"

namespace wtpool::test::power {
namespace {

using Kind = Effect::Kind;

constexpr const char* kCalls =
    "trace=open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,lseek,rename,renameat,renameat2,"
    "unlink,"
    "unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,truncate,ftruncate,fallocate,fsync,fdatasync,sync,syncfs,"
    "sync_file_range,copy_file_range,sendfile,splice,msync,chmod,fchmod,fchmodat,chdir,fchdir,clone,clone3,fork,vfork";

class Recorder {
 public:
  Recorder(const std::vector<Call>& calls, fs::path directory, const Tree& base, fs::path said, std::string first_words,
           const fs::path& start_directory)
      : calls_(calls), directory_(std::move(directory)), said_(std::move(said)), first_words_(std::move(first_words)) {
    live_ = recording_.base = base;
    recording_.directory = directory_;
    for (const Call& call : calls) {
      if (is_birth(call)) parents_[static_cast<pid_t>(call.result)] = call.process;
    }
    if (!calls.empty()) directories_[calls.front().process] = start_directory;
  }

  Recording run() {
    for (const Call& call : calls_) {
      try {
        take(call);
      } catch (const std::exception& error) {
        throw std::runtime_error(std::string(error.what()) + "; at line " + std::to_string(call.ended + 1) + ": " + call.name +
                                 " of " + std::to_string(call.process));
      }
    }
    if (!started_) throw std::runtime_error("recording: it never began");
    recording_.end = std::move(live_);
    return std::move(recording_);
  }

 private:
  static bool is_birth(const Call& call) {
    return call.name == "clone" || call.name == "clone3" || call.name == "fork" || call.name == "vfork";
  }

  // ---- where things are ----
  fs::path working_directory(pid_t process) {
    const auto known = directories_.find(process);
    if (known != directories_.end()) return known->second;
    const auto parent = parents_.find(process);
    if (parent == parents_.end()) throw std::runtime_error("recording: a process from nowhere");
    return directories_[process] = working_directory(parent->second);
  }

  // Relative to the recorded directory; nothing when it is elsewhere.
  [[nodiscard]] std::optional<fs::path> inside(const fs::path& path) const {
    const auto relative = path.lexically_normal().lexically_relative(directory_);
    if (relative.empty() || relative.native().starts_with("..")) return std::nullopt;
    return relative;
  }
  std::optional<fs::path> named(const Call& call, std::size_t argument) {
    return inside(working_directory(call.process) / text_of(call.arguments.at(argument)));
  }
  std::optional<fs::path> named_at(const Call& call, std::size_t directory, std::size_t argument) {
    const std::string base = target_of(call.arguments.at(directory));
    if (call.arguments[directory].starts_with("AT_FDCWD") && !base.empty()) directories_[call.process] = base;
    return inside(fs::path(base) / text_of(call.arguments.at(argument)));
  }
  // What a descriptor stands for; nothing when it is elsewhere or has no name any more.
  [[nodiscard]] std::optional<Inode> file_of(const Call& call, std::size_t argument = 0) const {
    const std::string target = target_of(call.arguments.at(argument));
    if (!target.starts_with("/") || target.ends_with("(deleted)")) return std::nullopt;
    const auto path = inside(target);
    if (!path) return std::nullopt;
    const auto inode = live_.inode_of(*path);
    if (!inode) throw std::runtime_error("recording: unknown " + path->string());
    return inode;
  }

  // ---- effects ----
  void add(Effect effect) {
    if (!started_) return;
    apply(live_, effect);
    recording_.effects.push_back(std::move(effect));
    ended_.push_back(now_);
  }

  [[nodiscard]] std::size_t made_before(std::size_t line) const {
    return static_cast<std::size_t>(std::lower_bound(ended_.begin(), ended_.end(), line) - ended_.begin());
  }

  Effect on_name(Kind kind, const fs::path& path) const {
    const auto parent = live_.inode_of(path.parent_path());
    if (!parent) throw std::runtime_error("recording: no directory for " + path.string());
    Effect effect{.kind = kind};
    effect.parent = *parent;
    effect.name = path.filename().string();
    if (const auto there = live_.inode_of(path)) effect.inode = *there;
    return effect;
  }

  Inode make(const fs::path& path, Node::Kind node, mode_t mode, std::string bytes = {}) {
    Effect effect = on_name(Kind::make, path);
    effect.inode = live_.nodes.size();
    effect.node = node;
    effect.mode = mode & ~mode_t{022};
    effect.bytes = std::move(bytes);
    add(effect);
    return effect.inode;
  }

  void opened(const Call& call, const std::optional<fs::path>& path, const std::string& flags, mode_t mode) {
    if (!path) return;
    auto inode = live_.inode_of(*path);
    if (!inode && flags.find("O_CREAT") != std::string::npos) inode = make(*path, Node::Kind::file, mode);
    if (!inode) {
      if (flags.find("O_RDWR") == std::string::npos && flags.find("O_WRONLY") == std::string::npos) return;
      throw std::runtime_error("recording: opened what is not there: " + path->string());
    }
    if (flags.find("O_TRUNC") != std::string::npos && !live_.nodes[*inode].data.empty()) truncate(*inode, 0);
    places_[{*inode, call.result}] = 0;
    if (flags.find("O_APPEND") != std::string::npos) {
      appending_.insert({*inode, call.result});
    } else {
      appending_.erase({*inode, call.result});
    }
  }

  void truncate(Inode inode, std::size_t size) {
    Effect effect{.kind = Kind::truncate};
    effect.inode = inode;
    effect.offset = size;
    add(std::move(effect));
  }

  void wrote(const Call& call, std::string bytes, std::optional<std::size_t> at) {
    bytes.resize(static_cast<std::size_t>(call.result));
    if (target_of(call.arguments.at(0)) == said_) return say(bytes);
    const auto inode = file_of(call);
    if (!inode || bytes.empty()) return;
    const auto opened_as = std::pair{*inode, number_of(call.arguments[0]).value_or(-1)};
    Effect effect{.kind = Kind::write};
    effect.inode = *inode;
    if (appending_.contains(opened_as)) {
      effect.offset = live_.nodes[*inode].data.size();
    } else {
      effect.offset = at ? *at : places_[opened_as];
      if (!at) places_[opened_as] += bytes.size();
    }
    effect.bytes = std::move(bytes);
    add(std::move(effect));
  }

  void say(const std::string& text) {
    if (text.starts_with(first_words_)) started_ = true;
    Effect effect{.kind = Kind::said};
    effect.bytes = trimmed(text);
    add(std::move(effect));
  }

  void sent(const Call& call) {
    std::string bytes;
    for (std::size_t at = 1; at < call.arguments.size(); ++at) bytes += text_of(call.arguments[at]);
    bytes.resize(std::min(bytes.size(), static_cast<std::size_t>(call.result)));
    if (bytes.find("\"result\"") == std::string::npos) return;
    Effect effect{.kind = Kind::answered};
    effect.bytes = std::move(bytes);
    add(std::move(effect));
  }

  void synced(const Call& call, Kind kind) {
    const auto inode = kind == Kind::sync_all ? std::optional<Inode>(0) : file_of(call);
    if (!inode) return;
    Effect effect{.kind = kind};
    effect.inode = *inode;
    effect.covers = made_before(call.began);
    add(std::move(effect));
  }

  void renamed(const std::optional<fs::path>& from, const std::optional<fs::path>& to) {
    if (!from && !to) return;
    if (!from || !to) throw std::runtime_error("recording: a rename in or out of the directory");
    if (!live_.inode_of(*from)) throw std::runtime_error("recording: a rename of what is not there: " + from->string());
    Effect effect = on_name(Kind::rename, *from);
    const Effect target = on_name(Kind::rename, *to);
    effect.new_parent = target.parent;
    effect.new_name = target.name;
    if (target.inode == effect.inode) return;  // two names of one file: POSIX says nothing happens
    add(std::move(effect));
  }

  void removed(const std::optional<fs::path>& path) {
    if (!path || is_socket(*path)) return;
    if (!live_.inode_of(*path)) throw std::runtime_error("recording: removed what is not there: " + path->string());
    add(on_name(Kind::unlink, *path));
  }
  // bind(2) makes them, and they are not looked at.
  static bool is_socket(const fs::path& path) { return path.native().starts_with("run/"); }

  void linked(const std::optional<fs::path>& from, const std::optional<fs::path>& to) {
    if (!from && !to) return;
    if (!from || !to || !live_.inode_of(*from)) throw std::runtime_error("recording: a link from elsewhere");
    Effect effect = on_name(Kind::link, *to);
    effect.inode = *live_.inode_of(*from);
    add(std::move(effect));
  }

  void moded(std::optional<Inode> inode, const std::string& mode) {
    if (!inode) return;
    Effect effect{.kind = Kind::mode};
    effect.inode = *inode;
    effect.mode = static_cast<mode_t>(number_of(mode).value_or(0644));
    add(std::move(effect));
  }
  std::optional<Inode> inode_at(const std::optional<fs::path>& path) const {
    return path ? live_.inode_of(*path) : std::nullopt;
  }

  static mode_t mode_in(const Call& call, std::size_t argument) {
    return call.arguments.size() > argument ? static_cast<mode_t>(number_of(call.arguments[argument]).value_or(0644)) : 0644;
  }

  void take(const Call& call) {
    now_ = call.ended;
    const auto& name = call.name;
    const auto& arguments = call.arguments;
    if (name == "chdir") {
      directories_[call.process] = (working_directory(call.process) / text_of(arguments.at(0))).lexically_normal();
    } else if (name == "fchdir") {
      directories_[call.process] = target_of(arguments.at(0));
    } else if (is_birth(call)) {
      (void)working_directory(static_cast<pid_t>(call.result));
    } else if (name == "openat") {
      opened(call, named_at(call, 0, 1), arguments.at(2), mode_in(call, 3));
    } else if (name == "open") {
      opened(call, named(call, 0), arguments.at(1), mode_in(call, 2));
    } else if (name == "openat2") {
      const auto path = named_at(call, 0, 1);
      if (path && arguments.at(2).find("O_CREAT") != std::string::npos)
        throw std::runtime_error("recording: openat2 that makes a file");
    } else if (name == "creat") {
      opened(call, named(call, 0), "O_CREAT|O_WRONLY|O_TRUNC", mode_in(call, 1));
    } else if (!started_ && target_of(arguments.empty() ? std::string() : arguments[0]) != said_) {
      return;
    } else if (name == "write") {
      if (target_of(arguments.at(0)).starts_with("socket:")) return sent(call);
      wrote(call, text_of(arguments.at(1)), std::nullopt);
    } else if (name == "writev") {
      if (target_of(arguments.at(0)).starts_with("socket:")) return sent(call);
      wrote(call, text_of(arguments.at(1)), std::nullopt);
    } else if (name == "sendmsg" || name == "sendto") {
      sent(call);
    } else if (name == "pwrite64") {
      wrote(call, text_of(arguments.at(1)), static_cast<std::size_t>(number_of(arguments.at(3)).value_or(0)));
    } else if (name == "lseek") {
      if (const auto inode = file_of(call))
        places_[{*inode, number_of(arguments[0]).value_or(-1)}] = static_cast<std::size_t>(call.result);
    } else if (name == "rename") {
      renamed(named(call, 0), named(call, 1));
    } else if (name == "renameat" || name == "renameat2") {
      if (name == "renameat2" && arguments.at(4).find("RENAME_EXCHANGE") != std::string::npos)
        throw std::runtime_error("recording: names exchanged");
      renamed(named_at(call, 0, 1), named_at(call, 2, 3));
    } else if (name == "unlink" || name == "rmdir") {
      removed(named(call, 0));
    } else if (name == "unlinkat") {
      removed(named_at(call, 0, 1));
    } else if (name == "mkdir") {
      if (const auto path = named(call, 0)) make(*path, Node::Kind::directory, mode_in(call, 1));
    } else if (name == "mkdirat") {
      if (const auto path = named_at(call, 0, 1)) make(*path, Node::Kind::directory, mode_in(call, 2));
    } else if (name == "link") {
      linked(named(call, 0), named(call, 1));
    } else if (name == "linkat") {
      linked(named_at(call, 0, 1), named_at(call, 2, 3));
    } else if (name == "symlink") {
      if (const auto path = named(call, 1)) make(*path, Node::Kind::symlink, 0777, text_of(arguments.at(0)));
    } else if (name == "symlinkat") {
      if (const auto path = named_at(call, 1, 2)) make(*path, Node::Kind::symlink, 0777, text_of(arguments.at(0)));
    } else if (name == "ftruncate") {
      if (const auto inode = file_of(call)) truncate(*inode, static_cast<std::size_t>(number_of(arguments.at(1)).value_or(0)));
    } else if (name == "truncate") {
      if (const auto inode = inode_at(named(call, 0)))
        truncate(*inode, static_cast<std::size_t>(number_of(arguments.at(1)).value_or(0)));
    } else if (name == "fsync" || name == "fdatasync") {
      synced(call, Kind::sync);
    } else if (name == "sync_file_range") {
      synced(call, Kind::write_out);
    } else if (name == "sync" || name == "syncfs") {
      synced(call, Kind::sync_all);
    } else if (name == "fchmod") {
      moded(file_of(call), arguments.at(1));
    } else if (name == "chmod") {
      moded(inode_at(named(call, 0)), arguments.at(1));
    } else if (name == "fchmodat") {
      moded(inode_at(named_at(call, 0, 1)), arguments.at(2));
    } else if (file_of(call) || (arguments.size() > 2 && file_of(call, 2))) {
      throw std::runtime_error("recording: a call that the simulated disk does not know");
    }
  }

  const std::vector<Call>& calls_;
  fs::path directory_, said_;
  std::string first_words_;
  Recording recording_;
  Tree live_;
  bool started_ = false;
  std::size_t now_ = 0;
  std::vector<std::size_t> ended_;  // of each effect
  std::map<pid_t, pid_t> parents_;
  std::map<pid_t, fs::path> directories_;
  std::map<std::pair<Inode, long>, std::size_t> places_;  // offsets, by file and descriptor
  std::set<std::pair<Inode, long>> appending_;
};

}  // namespace

Recording effects_of(const std::vector<Call>& calls, const fs::path& directory, const Tree& base, const fs::path& said,
                     const std::string& first_words, const fs::path& start_directory) {
  return Recorder(calls, directory, base, said, first_words, start_directory).run();
}

std::vector<std::string> traced(const fs::path& trace, const std::vector<std::string>& program) {
  std::vector<std::string> argv = {"strace", "-f", "--seccomp-bpf", "-y", "-xx",          "-s", "1000000000", "-e",
                                   kCalls,   "-e", "signal=none",   "-o", trace.string(), "--"};
  argv.insert(argv.end(), program.begin(), program.end());
  return argv;
}

std::string why_no_strace() {
  const auto outcome =
      run({.argv = {"strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "--", "true"}, .environment = git_environment()});
  return outcome.code == 0 ? "" : "strace does not work here: " + outcome.err;
}

}  // namespace wtpool::test::power
