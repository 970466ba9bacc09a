#include "daemon/app/port_book.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "common/base/log.hpp"
#include "common/files/files.hpp"

namespace wtpool::app {

PortBook::PortBook(std::filesystem::path file) : file_(std::move(file)) { load(); }

// Lines of "<base> <pool>/<slot>"; a line that is none is skipped, and of two lines with one base the first counts.
void PortBook::load() {
  try {
    const auto text = read_file(file_);
    if (!text) return;
    std::istringstream lines(*text);
    std::set<int> taken;
    for (std::string line; std::getline(lines, line);) {
      const auto space = line.find(' ');
      if (space == std::string::npos) continue;
      const int base = static_cast<int>(std::strtol(line.c_str(), nullptr, 10));
      if (base < kFirst || base > kLast || (base - kFirst) % kBlock != 0 || !taken.insert(base).second) continue;
      bases_.emplace(line.substr(space + 1), base);
    }
  } catch (const proto::Error& error) {
    log_warn(error.message);
  }
}

void PortBook::save() const {
  std::string text;
  for (const auto& [slot, base] : bases_) text += std::to_string(base) + " " + slot + "\n";
  try {
    write_atomically(file_, text);
  } catch (const proto::Error& error) {
    log_warn(error.message);
  }
}

int PortBook::base_for(const PoolKey& pool, const SlotId& slot) {
  const std::string name = pool.str() + "/" + slot.str();
  if (const auto known = bases_.find(name); known != bases_.end()) return known->second;
  std::set<int> taken;
  for (const auto& [other, base] : bases_) taken.insert(base);
  int base = kFirst;
  while (base <= kLast && taken.contains(base)) base += kBlock;
  if (base > kLast) {
    // Full: the block of a slot of another pool goes, since two slots of one pool are the likeliest to run together.
    const auto other = std::find_if(bases_.begin(), bases_.end(),
                                    [&](const auto& entry) { return !entry.first.starts_with(pool.str() + "/"); });
    const auto given = other == bases_.end() ? bases_.begin() : other;
    base = given->second;
    log_warn("every block of ports is taken; the one of " + given->first + " goes to " + name);
    bases_.erase(given);
  }
  bases_[name] = base;
  save();
  return base;
}

}  // namespace wtpool::app
