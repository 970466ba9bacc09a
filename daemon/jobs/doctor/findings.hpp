// What is not as it should be in a pool, and what of it `doctor --repair` puts right without asking anybody: what is the
// pool's own and nobody's work. Reading only, with or without a daemon.
#pragma once

#include "daemon/git/files/entry.hpp"
#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

struct Finding {
  enum class Weight { warn, error } weight = Weight::error;
  std::string what;    // what is wrong with what
  std::string remedy;  // what a repair does about it; empty: it leaves it
  std::string hint;    // the command that helps, where it is left
};

// Whether a daemon serves the pool: then slots on their way from one state to another are its own business.
enum class Served { no, yes };

// A pool as its files say, without its lock: for looking only. Throws proto::Error as loading it would.
[[nodiscard]] std::shared_ptr<const ServedPool> view_pool(const PoolKey& key, const disk::PoolFiles& files);
// As a clause, with the reason where a new slot is no clone. Makes and removes a small file on the pool's disk to know.
[[nodiscard]] std::string how_slots_are_made(const ServedPool& pool);
[[nodiscard]] std::vector<Finding> examine(const ServedPool& pool, Served served);

}  // namespace wtpool::jobs
