// The jobs of the store.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone store_task(JobContext& job, const core::job::StoreTask& spec);
core::JobDone store_fill(JobContext& job, const core::job::StoreFill& spec);
core::JobDone store_tidy(JobContext& job, const core::job::StoreTidy& spec);

// One function a verb, for store_task.
core::JobDone store_place(JobContext& job, const proto::StorePlaceParams& params);
core::JobDone store_status(JobContext& job, const proto::StoreStatusParams& params);
core::JobDone store_thaw(JobContext& job, const proto::StoreThawParams& params);
core::JobDone store_freeze(JobContext& job, const proto::StoreFreezeParams& params);
core::JobDone store_gc(JobContext& job, const proto::StoreGcParams& params);

}  // namespace wtpool::jobs
