#include "daemon/core/lease/land.hpp"

#include <algorithm>

#include "daemon/core/job/grants.hpp"
#include "daemon/core/lease/release.hpp"
#include "daemon/core/rules/locate.hpp"
#include "daemon/core/source/tip.hpp"
#include "daemon/core/state/overloaded.hpp"
#include "daemon/core/state/sentences.hpp"

namespace wtpool::core {
namespace {

constexpr std::chrono::minutes kPatience{30};

const proto::LandParams& params_of(const Request& request) { return std::get<proto::LandParams>(request.params); }

LandLine& line_of(Turn& t, const SourceId& source, const std::string& target) { return t.host.sources[source].lines[target]; }

Error failure_of(const JobOutcome& outcome) {
  if (const auto* failed = std::get_if<JobFailed>(&outcome)) return failed->error;
  return {ErrorKind::internal, "a job ended with a result that is not its own"};
}

template <class D>
const D* done_as(const JobOutcome& outcome) {
  const auto* done = std::get_if<JobDone>(&outcome);
  return done == nullptr ? nullptr : std::get_if<D>(done);
}

proto::LandResult result_of(const Request& request) {
  const job::Landing& what = request.landing->what;
  proto::LandResult result;
  result.pool = request.pool.str();
  result.name = what.lease.name;
  result.target = what.target;
  result.style = what.style;
  result.commits = request.landing->commits;
  return result;
}

// Who speaks to a remote takes no place from those who do not.
JobClass class_of(const job::Landing& landing) { return landing.push ? JobClass::network : JobClass::answering; }

void drop(Turn& t, const PoolKey& pool, const std::string& id) {
  if (!t.host.draining) ask(t, JobClass::background, job::DropLanding{pool, id}, pool);
}

// Which candidate, and where: the slot itself is at it when that is what it had when it was looked at.
void tell_candidate(Turn& t, const Request& request, const LandEntry& entry, std::size_t position) {
  const job::Landing& what = request.landing->what;
  const Pool& pool = t.host.pools.at(request.pool);
  proto::CandidateNote note;
  note.land_id = what.id;
  note.name = what.lease.name;
  note.candidate = entry.candidate.str();
  note.target = what.target;
  note.pool = pool.key.str();
  note.test = pool.config->land_test;
  if (entry.candidate == what.tip) note.path = slot_path(pool, what.slot);
  note.position = static_cast<std::int64_t>(position);
  t.notes.push_back(effect::Tell{request.id, std::move(note)});
}

void tell_places(Turn& t, LandLine& line) {
  for (std::size_t i = 0; i < line.entries.size(); ++i) {
    Request* request = find_request(t, line.entries[i].request);
    if (request == nullptr || request->landing->told_place == i) continue;
    request->landing->told_place = i;
    proto::Progress progress;
    progress.phase = "landing";
    progress.queue_position = static_cast<std::int64_t>(i);
    progress.message = "on " + request->landing->what.target;
    tell(t, *request, std::move(progress));
  }
}

std::size_t train_of(Turn& t, const LandLine& line) {
  const Request* first = line.entries.empty() ? nullptr : find_request(t, line.entries.front().request);
  const auto pool = first == nullptr ? t.host.pools.end() : t.host.pools.find(first->pool);
  if (pool == t.host.pools.end() || !pool->second.config) return 1;
  return static_cast<std::size_t>(pool->second.config->land_train);
}

void perform(Turn& t, LandLine& line, const land::Make& make) {
  Request& request = *find_request(t, make.request);
  job::MakeLanding spec;
  spec.pool = request.pool;
  spec.landing = request.landing->what;
  spec.base = make.base;
  spec.version = make.version;
  request.jobs.insert(ask(t, class_of(spec.landing), spec, request.pool, {}, request.id));
  (void)line;
}

void perform(Turn& t, LandLine& line, const land::Test& test) {
  tell_candidate(t, *find_request(t, test.request), *line.find(test.request), line.place_of(test.request));
}

void perform(Turn& t, LandLine& line, const land::Move& move) {
  Request& request = *find_request(t, move.request);
  const LandEntry& entry = *line.find(move.request);
  job::MoveLanding spec;
  spec.landing = request.landing->what;
  spec.base = entry.base;
  spec.candidate = entry.candidate;
  request.landing->moving = true;
  request.jobs.insert(ask(t, class_of(spec.landing), spec, request.pool, {request.landing->what.slot}, request.id));
}

void perform(Turn& t, LandLine&, const land::Refuse& refused) {
  const Request& request = *find_request(t, refused.request);
  drop(t, request.pool, request.landing->what.id);
  refuse(t, refused.request, refused.why);
}

void perform(Turn& t, LandLine&, const land::AlreadyLanded& landed) {
  const Request& request = *find_request(t, landed.request);
  proto::LandResult result = result_of(request);
  result.before = result.after = landed.at.str();
  result.commits = 0;
  result.tries = landed.tries;
  warn(t, request, result.name + " has already landed on " + result.target);
  answer(t, landed.request, std::move(result));
}

void run_line(Turn& t, LandLine& line) {
  if (t.host.draining) return;
  for (const LandAction& action : next(line, train_of(t, line)))
    std::visit([&](const auto& one) { perform(t, line, one); }, action);
  tell_places(t, line);
}

bool lands_already(const Host& host, const Pool& pool, const Slot& slot, RequestId but) {
  return std::any_of(host.requests.begin(), host.requests.end(), [&](const auto& each) {
    const Request& request = each.second;
    return each.first != but && request.landing && request.pool == pool.key && request.landing->what.slot == slot.id;
  });
}

std::optional<Error> why_not(Turn& t, Pool& pool, const Found& found, const Request& request) {
  const auto& params = params_of(request);
  if (found.slot != nullptr && (found.slot->phase == Phase::quarantined || found.slot->phase == Phase::repairing))
    return say::quarantined(pool, *found.slot);
  if (found.slot == nullptr || found.slot->phase != Phase::held || found.slot->ending != Ending::none) {
    if (params.target.lease_id) return say::lease_lost("cannot land " + *params.target.lease_id);
    if (found.slot == nullptr && (found.by_slot || found.asked.empty()) && !params.target.target && !params.target.slot)
      return say::in_no_slot(pool, "land");
    return say::not_held(pool, found.asked);
  }
  if (lands_already(t.host, pool, *found.slot, request.id)) {
    return Error(ErrorKind::blocked, "cannot land " + found.slot->lease->name + ": it is in line to land already",
                 "wtpool watch");
  }
  return std::nullopt;
}

}  // namespace

void begin_land(Turn& t, Request& request, Pool& pool) {
  const auto& params = params_of(request);
  const Found found = locate(pool, params.target, params.scope.cwd);
  if (auto error = why_not(t, pool, found, request)) return refuse(t, request.id, std::move(*error));
  const Slot& slot = *found.slot;
  request.deadline = t.now.awake + (params.wait_ms ? nanoseconds(std::chrono::milliseconds(*params.wait_ms)) : kPatience);
  request.stage = Stage::landing;
  request.slot = slot.id;
  Landing& landing = request.landing.emplace();
  landing.source = pool.place->source;
  landing.tests = params.test.value_or(pool.config->land_test.has_value());
  landing.what.id = request.lease_id.str().substr(0, 16);
  landing.what.slot = slot.id;
  landing.what.git_id = slot.git_id;
  landing.what.lease = *slot.lease;
  landing.what.style = params.style.value_or(pool.config->land_style);
  landing.what.message = params.message;
  landing.what.push = params.push || pool.place->url;
  landing.what.follows = !params.stay && !params.release;
  note_change(t, request);
  request.jobs.insert(
      ask(t, class_of(landing.what), job::LookAtLanding{pool.key, landing.what, params.into}, pool.key, {}, request.id));
}

void landing_looked(Turn& t, const Job& job, const JobOutcome& outcome) {
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) return;
  request->jobs.erase(job.id);
  if (t.host.draining) return refuse(t, request->id, say::shutting_down());
  const auto* looked = done_as<done::LandingLooked>(outcome);
  if (looked == nullptr) return refuse(t, request->id, failure_of(outcome));
  request->landing->what = looked->landing;
  if (params_of(*request).dry_run) {
    job::MakeLanding spec;
    spec.pool = request->pool;
    spec.landing = request->landing->what;
    spec.dry_run = true;
    request->jobs.insert(ask(t, JobClass::answering, std::move(spec), request->pool, {}, request->id));
    return;
  }
  LandLine& line = line_of(t, request->landing->source, request->landing->what.target);
  line.enter(request->id, request->landing->tests);
  run_line(t, line);
}

namespace {

void answer_dry_run(Turn& t, Request& request, const JobOutcome& outcome) {
  const auto* made = done_as<done::LandingMade>(outcome);
  if (made == nullptr) return refuse(t, request.id, failure_of(outcome));
  if (made->refused) return refuse(t, request.id, *made->refused);
  request.landing->commits = made->nothing ? 0 : made->commits;
  proto::LandResult result = result_of(request);
  result.before = made->base.str();
  result.after = made->nothing ? result.before : made->candidate.str();
  result.checkouts = made->checkouts;
  answer(t, request.id, std::move(result));
}

}  // namespace

void landing_made(Turn& t, const Job& job, const JobOutcome& outcome) {
  const auto& spec = std::get<job::MakeLanding>(job.spec);
  Request* request = job.request ? find_request(t, *job.request) : nullptr;
  if (request == nullptr) {
    if (!spec.dry_run) drop(t, job.pool, spec.landing.id);
    return;
  }
  request->jobs.erase(job.id);
  if (t.host.draining) return refuse(t, request->id, say::shutting_down());
  if (spec.dry_run) return answer_dry_run(t, *request, outcome);
  LandLine& line = line_of(t, request->landing->source, spec.landing.target);
  const auto* made = done_as<done::LandingMade>(outcome);
  if (made == nullptr) {
    line.not_made(request->id, spec.version, spec.base, failure_of(outcome));
  } else if (made->refused) {
    line.not_made(request->id, spec.version, made->base, *made->refused);
  } else {
    request->landing->commits = made->commits;
    line.made(request->id, spec.version, made->base, made->candidate, made->nothing);
  }
  run_line(t, line);
}

void land_tested(Turn& t, Request& request) {
  const proto::LandTestedParams params = std::get<proto::LandTestedParams>(request.params);
  answer(t, request.id, proto::EmptyResult{});
  for (auto& [id, each] : t.host.requests) {
    if (!each.landing || each.landing->what.id != params.land_id) continue;
    const job::Landing& what = each.landing->what;
    LandLine& line = line_of(t, each.landing->source, what.target);
    std::optional<Error> failure;
    if (!params.passed) {
      failure = Error(ErrorKind::hook_failed,
                      "cannot land " + what.lease.name + " on " + what.target + ": " + params.why.value_or("the test failed"));
      failure->name = what.lease.name;
    }
    line.test_ended(id, Oid(params.candidate), std::move(failure));
    return run_line(t, line);
  }
}

void landing_moved(Turn& t, const Job& job, const JobOutcome& outcome) {
  const auto& spec = std::get<job::MoveLanding>(job.spec);
  Pool& pool = t.host.pools.at(job.pool);
  LandLine& line = line_of(t, job.source, spec.landing.target);
  const RequestId id = *job.request;
  const LandEntry* entry = line.find(id);
  const LandEntry was = entry == nullptr ? LandEntry{} : *entry;
  Request* request = find_request(t, id);
  if (request != nullptr) {
    request->jobs.erase(job.id);
    request->landing->moving = false;
  }
  if (const auto* lost = done_as<done::LandingLost>(outcome)) {
    line.lost(id, lost->why);
    if (request != nullptr && request->stop != Stop::none) {
      line.leave(id);
      drop(t, job.pool, spec.landing.id);
      refuse(t, id, lost->why);
    }
    return run_line(t, line);
  }
  const auto* moved = done_as<done::LandingMoved>(outcome);
  if (moved == nullptr) {
    line.move_failed(id, t.host.draining ? say::shutting_down() : failure_of(outcome));
    if (t.host.draining && request != nullptr) {
      line.leave(id);
      refuse(t, id, say::shutting_down());
    }
    return run_line(t, line);
  }
  line.moved(id);
  Slot* slot = find_slot(t, job.pool, spec.landing.slot);
  emit(t, pool, slot, "landed", &spec.landing.lease,
       spec.landing.target + " " + moved->before.str() + ".." + moved->after.str() + (was.tested ? " tested" : " untested") +
           " tries " + std::to_string(was.tries));
  tip_may_have_moved(t, pool);
  if (request != nullptr) {
    for (const std::string& warning : moved->warnings) warn(t, *request, warning);
    proto::LandResult result = result_of(*request);
    result.before = moved->before.str();
    result.after = moved->after.str();
    result.tested = was.tested;
    result.tries = was.tries;
    result.checkouts = moved->checkouts;
    result.pushed = moved->pushed;
    result.followed = moved->followed;
    const bool ours = slot != nullptr && slot->lease && slot->lease->id == spec.landing.lease.id && slot->phase == Phase::held;
    result.released = params_of(*request).release && moved->clean && ours && slot->ending == Ending::none;
    if (result.released) end_lease(t, pool, *slot, Ending::released);
    answer(t, id, std::move(result));
  }
  run_line(t, line);
}

bool leave_line(Turn& t, Request& request) {
  if (request.landing->moving) return false;
  const Landing landing = *request.landing;
  for (const JobId id : request.jobs)
    if (!drop_unstarted(t, id)) stop_job(t, id);
  LandLine& line = line_of(t, landing.source, landing.what.target);
  if (line.find(request.id) == nullptr) return true;
  line.leave(request.id);
  drop(t, request.pool, landing.what.id);
  run_line(t, line);
  return true;
}

}  // namespace wtpool::core
