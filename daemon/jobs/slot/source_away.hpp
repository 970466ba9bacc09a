// A source that is not there now: unmounted, renamed by hand, emptied. What is then seen of its slots says nothing of them.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Why the repository cannot be looked at; nothing when it is there. Some plain looks at its files, no git.
[[nodiscard]] std::optional<core::Error> source_away(const ServedPool& pool);
// Throws it, as a fault that passes by itself: no slot is judged by it, and what has to be done is done when it is back.
void require_source(const ServedPool& pool);

// The source that a pool's config names. Where it is not there, the error says what becomes of the pool, and what helps.
[[nodiscard]] git::SourceFacts open_source_of(const PoolKey& key, const disk::PoolFiles& files, const std::string& source,
                                              const git::Context& context);

}  // namespace wtpool::jobs
