// The templates of one pool that may be used, at most one a group. Whoever makes a slot of one keeps it: a template that was
// replaced or dropped is deleted when nobody has it any more. Any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/disk/layout.hpp"
#include "daemon/disk/template_record.hpp"

namespace wtpool::jobs {

struct Template {
  Template(disk::TemplateRecord made, disk::path where) : record(std::move(made)), directory(std::move(where)) {}
  const disk::TemplateRecord record;
  const disk::path directory;  // <pool>/.meta/template/<ID>
  mutable std::atomic<bool> damaged{false};

  [[nodiscard]] disk::path tree() const { return directory / "tree"; }
  [[nodiscard]] disk::path index() const { return directory / "index"; }
};

class TemplateBook {
 public:
  using Group = std::optional<std::string>;

  // Reads what stands below <pool>/.meta/template: the newest of each group is used. What has no record is named in
  // `unfinished`, with those that are not the newest.
  explicit TemplateBook(const disk::PoolFiles& files);
  TemplateBook(const TemplateBook&) = delete;
  TemplateBook& operator=(const TemplateBook&) = delete;

  // Null: there is none, or it is damaged.
  [[nodiscard]] std::shared_ptr<const Template> usable(const Group& group) const;
  [[nodiscard]] std::vector<std::shared_ptr<const Template>> all() const;
  // In place of the one of its group.
  void put(std::shared_ptr<const Template> made);
  // False: there is none with that id.
  bool drop(const std::string& id);
  // IDs of templates that are out of use and that nobody has: theirs to delete, and no longer in the book.
  [[nodiscard]] std::vector<std::string> take_unused();

 private:
  mutable std::mutex mutex_;
  std::map<Group, std::shared_ptr<const Template>> used_;
  std::vector<std::shared_ptr<const Template>> retired_;
  std::vector<std::string> unfinished_;
};

}  // namespace wtpool::jobs
