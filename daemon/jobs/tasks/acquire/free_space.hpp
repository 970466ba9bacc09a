// What an acquire leaves free on the disks, for those who give work back.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

// Asked of both disks: the slot's files, and the source's refs and markers. Throws no_space, a host_fault, for the lease
// `name`.
void check_reserve(const JobContext& job, const std::string& name);

}  // namespace wtpool::jobs
