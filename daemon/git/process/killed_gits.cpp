#include "daemon/git/process/killed_gits.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <sstream>

#include "common/base/log.hpp"
#include "common/files/files.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLives = 64;    // of one source
constexpr std::size_t kSources = 64;  // the file stays below 64 KiB but for very long paths
constexpr std::size_t kFileLimit = 1024 * 1024;

class Record {
 public:
  void keep_in(const fs::path& file) {
    const std::lock_guard guard(mutex_);
    file_ = file;
    try {
      read(read_file(file, kFileLimit).value_or(std::string()));
    } catch (const proto::Error& error) {
      log_warn("the record of killed gits is not known: " + error.message);
    }
  }

  void add(const std::string& common_dir, Life life) {
    const std::lock_guard guard(mutex_);
    put(common_dir, life);
    write();
  }

  std::vector<Life> of(const std::string& common_dir) {
    const std::lock_guard guard(mutex_);
    const auto found = lives_.find(common_dir);
    return found == lives_.end() ? std::vector<Life>{} : found->second;
  }

  void forget(const std::string& common_dir, std::int64_t before) {
    const std::lock_guard guard(mutex_);
    const auto found = lives_.find(common_dir);
    if (found == lives_.end()) return;
    if (std::erase_if(found->second, [before](const Life& life) { return life.to < before; }) == 0) return;
    if (found->second.empty()) lives_.erase(found);
    write();
  }

 private:
  void put(const std::string& common_dir, Life life) {
    if (common_dir.find('\n') != std::string::npos) return;
    if (!lives_.contains(common_dir) && lives_.size() == kSources) lives_.erase(lives_.begin());
    auto& lives = lives_[common_dir];
    // One git is told of twice, before it is killed and when it has ended.
    const auto same = std::find_if(lives.begin(), lives.end(), [&](const Life& each) { return each.from == life.from; });
    if (same != lives.end()) {
      same->to = std::max(same->to, life.to);
      return;
    }
    if (lives.size() == kLives) lives.erase(lives.begin());
    lives.push_back(life);
  }

  void read(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      Life life;
      std::string common_dir;
      if (fields >> life.from >> life.to && fields.get() == ' ' && std::getline(fields, common_dir) && life.from <= life.to &&
          common_dir.starts_with('/')) {
        put(common_dir, life);
      }
    }
  }

  void write() const {
    if (file_.empty()) return;
    std::string text;
    for (const auto& [common_dir, lives] : lives_) {
      for (const Life& life : lives)
        text += std::to_string(life.from) + " " + std::to_string(life.to) + " " + common_dir + "\n";
    }
    try {
      if (text.empty()) {
        unlink_durably(file_);
      } else {
        write_durably(file_, text);
      }
    } catch (const proto::Error& error) {
      log_warn("that a git was killed cannot be written down: " + error.message);
    }
  }

  std::mutex mutex_;
  fs::path file_;
  std::map<std::string, std::vector<Life>> lives_;
};

Record& record() {
  static Record instance;
  return instance;
}

}  // namespace

std::string common_dir_of(const Place& place) { return place.source.empty() ? place.git_dir : place.source; }

void keep_killed_record(const fs::path& file) { record().keep_in(file); }

void remember_killed(const std::string& common_dir, std::int64_t from, std::int64_t to) {
  if (!common_dir.empty()) record().add(common_dir, {from, to});
}

std::vector<Life> killed_in(const std::string& common_dir) { return record().of(common_dir); }

void forget_killed(const std::string& common_dir, std::int64_t before) { record().forget(common_dir, before); }

}  // namespace wtpool::git
