// A job's outcome goes to the concept that asked for it.
#pragma once

#include "daemon/core/state/turn.hpp"

namespace wtpool::core {

// jobs_done.cpp
// A job that will not run is given to finish_job with a failure of its own.
void finish_job(Turn& t, const Job& job, const JobOutcome& outcome);
void job_finished(Turn& t, const event::JobFinished& event);
void job_progress(Turn& t, const event::JobProgress& event);
void writer_released(Turn& t, const event::WriterReleased& event);

}  // namespace wtpool::core
