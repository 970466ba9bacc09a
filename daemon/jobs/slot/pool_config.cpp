#include "daemon/jobs/slot/pool_config.hpp"

#include "common/files/files.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::jobs {

core::PoolConfig read_pool_config(const PoolKey& key, const disk::PoolFiles& files) {
  const auto text = read_file(files.config());
  if (!text) {
    throw core::Error(core::ErrorKind::pool_unavailable,
                      "pool " + key.str() + " is unavailable: it has no " + files.config().string());
  }
  try {
    return disk::parse_pool_config(*text, files.config());
  } catch (core::Error& error) {
    error.hint = how_to_correct(files.config());
    throw;
  }
}

std::string how_to_correct(const std::filesystem::path& config) {
  return "correct " + proto::shell_word(config.native()) + ", whose keys are in: man 8 wtpoold";
}

}  // namespace wtpool::jobs
