#include "tests/faults/ledger.hpp"

namespace wtpool::test {

void Ledger::asked(const std::string& name, const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto& story = stories_[name];
  if (story.told == Told::asked && story.key == key) return;  // the same again
  story = LeaseStory{};
  story.key = key;
}

void Ledger::acknowledged(const std::string& name, const json& answer) {
  const std::lock_guard lock(mutex_);
  auto& story = stories_[name];
  const auto lease = answer.value("lease_id", std::string());
  if (story.told == Told::acknowledged && story.lease_id != lease) {
    broken_.push_back("3: " + name + " was granted twice, as lease " + story.lease_id + " and as " + lease);
  }
  for (const auto& [other, held] : stories_) {
    if (other != name && held.told == Told::acknowledged && !held.killed && held.slot == answer.value("slot", std::string())) {
      broken_.push_back("1: slot " + held.slot + " was granted to " + name + " while " + other + " holds it");
    }
  }
  story.told = Told::acknowledged;
  story.lease_id = lease;
  story.slot = answer.value("slot", std::string());
  story.path = answer.value("path", std::string());
}

void Ledger::refused(const std::string& name) {
  const std::lock_guard lock(mutex_);
  stories_.erase(name);
}

void Ledger::killed(const std::string& name) {
  const std::lock_guard lock(mutex_);
  stories_[name].killed = true;
}

void Ledger::leaving(const std::string& name) {
  const std::lock_guard lock(mutex_);
  stories_[name].told = Told::leaving;
}

void Ledger::left(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& story = stories_[name];
  story.told = Told::left;
  past_commits_.insert(past_commits_.end(), story.commits.begin(), story.commits.end());
  for (const auto& [file, content] : story.files) past_files_.push_back(content);
  story.commits.clear();
  story.files.clear();
}

void Ledger::committed(const std::string& name, const std::string& oid) {
  const std::lock_guard lock(mutex_);
  stories_[name].commits.push_back(oid);
}

void Ledger::dropped(const std::string& name, const std::string& oid) {
  const std::lock_guard lock(mutex_);
  auto& story = stories_[name];
  std::erase(story.commits, oid);
  story.dropped.push_back(oid);
}

void Ledger::wrote(const std::string& name, const std::string& file, const std::string& content) {
  const std::lock_guard lock(mutex_);
  stories_[name].files[file] = content;
}

void Ledger::discards_the_past() {
  const std::lock_guard lock(mutex_);
  past_files_.clear();
}

void Ledger::saved(const std::string& name, const std::string& file) {
  const std::lock_guard lock(mutex_);
  stories_[name].files.erase(file);
}

void Ledger::discards(const std::string& name) {
  const std::lock_guard lock(mutex_);
  stories_[name].files.clear();
}

Ledger::Stories Ledger::stories() const {
  const std::lock_guard lock(mutex_);
  return stories_;
}

std::vector<std::string> Ledger::commits_of_the_past() const {
  const std::lock_guard lock(mutex_);
  return past_commits_;
}

std::vector<std::string> Ledger::files_of_the_past() const {
  const std::lock_guard lock(mutex_);
  return past_files_;
}

std::vector<std::string> Ledger::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

}  // namespace wtpool::test
