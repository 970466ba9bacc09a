#include "daemon/jobs/slot/template_book.hpp"

#include <algorithm>

#include "common/files/files.hpp"

namespace wtpool::jobs {

TemplateBook::TemplateBook(const disk::PoolFiles& files) {
  for (const auto& directory : children_of(files.template_dir())) {
    const std::string id = directory.filename().string();
    auto record = disk::read_template_record(directory / "template.yaml");
    if (!record || record->id != id) {
      unfinished_.push_back(id);
      continue;
    }
    auto found = std::make_shared<const Template>(std::move(*record), directory);
    auto& used = used_[found->record.group];
    const bool newer = !used || used->record.made_ns < found->record.made_ns;
    if (newer) std::swap(used, found);
    if (found) retired_.push_back(std::move(found));
  }
}

std::shared_ptr<const Template> TemplateBook::usable(const Group& group) const {
  const std::lock_guard lock(mutex_);
  const auto found = used_.find(group);
  return found == used_.end() || found->second->damaged ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Template>> TemplateBook::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const Template>> found;
  for (const auto& [group, used] : used_) found.push_back(used);
  return found;
}

void TemplateBook::put(std::shared_ptr<const Template> made) {
  const std::lock_guard lock(mutex_);
  auto& used = used_[made->record.group];
  if (used) retired_.push_back(std::move(used));
  used = std::move(made);
}

bool TemplateBook::drop(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(used_, [&](const auto& each) { return each.second->record.id == id; });
  if (found == used_.end()) return false;
  retired_.push_back(std::move(found->second));
  used_.erase(found);
  return true;
}

std::vector<std::string> TemplateBook::take_unused() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids = std::move(unfinished_);
  unfinished_.clear();
  std::erase_if(retired_, [&](const auto& each) {
    if (each.use_count() > 1) return false;
    ids.push_back(each->record.id);
    return true;
  });
  return ids;
}

}  // namespace wtpool::jobs
