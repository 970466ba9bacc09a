// Which ports are whose: a block of 20 for each slot of the host, given at the first question and the same ever after, kept in
// a file of the state directory. On the loop's thread alone; a file that cannot be written is said in the log and costs nothing
// else: the block is then the same for this daemon's life.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "proto/ids.hpp"

namespace wtpool::app {

class PortBook {
 public:
  static constexpr int kBlock = 20;
  static constexpr int kFirst = 20000;
  static constexpr int kLast = 32740;  // the last block below the ports that Linux gives to outgoing connections

  explicit PortBook(std::filesystem::path file);
  // First port of the slot's block. Blocks of pools in no use are given again only when there is no other left.
  [[nodiscard]] int base_for(const PoolKey& pool, const SlotId& slot);

 private:
  void load();
  void save() const;

  std::filesystem::path file_;
  std::map<std::string, int> bases_;  // "<pool>/<slot>" → base
};

}  // namespace wtpool::app
