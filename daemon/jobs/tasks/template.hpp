// Templates: a slot is frozen, what there is is listed, one is used no more.
#pragma once

#include "daemon/jobs/slot/job.hpp"

namespace wtpool::jobs {

core::JobDone make_template(JobContext& job, const core::job::MakeTemplate& spec);
core::JobDone list_templates(JobContext& job, const core::job::ListTemplates& spec);
core::JobDone drop_template(JobContext& job, const core::job::DropTemplate& spec);

}  // namespace wtpool::jobs
