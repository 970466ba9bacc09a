#include "daemon/app/service.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <asio/post.hpp>
#include <thread>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/base/names.hpp"
#include "common/files/files.hpp"
#include "daemon/app/doctor/repair_without_daemon.hpp"
#include "daemon/app/host_config.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::app {
namespace {

constexpr std::chrono::seconds kDrain{20};

int threads_for(const core::Settings& settings) {
  // One more than the core can fill, for the host's own checks.
  return static_cast<int>(settings.answering_limit + settings.recycling_limit + settings.background_limit +
                          settings.network_limit + settings.ending_limit) +
         1;
}

bool has_stake(const core::Host& host, SessionId session) {
  for (const auto& [key, pool] : host.pools) {
    for (const auto& [id, slot] : pool.slots) {
      if (slot.sessions.contains(session)) return true;
    }
  }
  return false;
}

std::vector<proto::DoctorCheck> pools_away(const core::Host& host) {
  std::vector<proto::DoctorCheck> away;
  for (const auto& [key, pool] : host.pools) {
    const std::string name = "pool " + key.str();
    if (pool.unavailable) {
      const auto& hint = pool.unavailable->hint;
      away.push_back({name, "warn", "it was unavailable when it was last asked for: " + pool.unavailable->message,
                      hint.empty() ? std::nullopt : std::optional(hint)});
    } else if (!pool.present) {
      away.push_back(
          {name, "error",
           "it is unavailable: its .meta/config.yaml is not there, or its directory is on another device than before",
           "ls -la " + proto::shell_word(host.settings.root + "/" + key.str())});
    }
  }
  return away;
}

std::vector<HeldSlot> held_slots(const core::Host& host) {
  std::vector<HeldSlot> held;
  for (const auto& [key, pool] : host.pools) {
    if (!pool.ready()) continue;
    for (const auto& [id, slot] : pool.slots) {
      if (slot.phase != core::Phase::held || slot.git_id.empty()) continue;
      held.push_back({key.str(), id.str(), slot.lease->name, disk::EntryFiles(pool.place->source, slot.git_id).marker()});
    }
  }
  return held;
}

}  // namespace

Service::Service(InstanceLock instance, HostPaths paths, disk::HostConfig config, std::filesystem::path root,
                 std::filesystem::path socket, bool verbose)
    : instance_(std::move(instance)),
      paths_(std::move(paths)),
      config_(std::move(config)),
      root_(std::move(root)),
      socket_(std::move(socket)),
      verbose_(verbose),
      instance_id_(random_hex(32)),
      started_(awake_now()),
      ports_(paths_.state_dir / "ports"),
      signals_(loop_),
      timer_(loop_),
      drain_timer_(loop_),
      server_(loop_, {WTPOOL_VERSION, instance_id_, root_.string()},
              {[this](RequestId id, SessionId session, const proto::Params& params) { on_request(id, session, params); },
               [this](RequestId id) { feed(core::event::Cancel{id}); }, [this](SessionId id) { return has_stake(host_, id); },
               [this](SessionId id) {
                 if (!leaving_) feed(core::event::SessionClosed{id});
               }}),
      seals_(loop_),
      owners_(loop_, [this](const LeaseId& lease) { feed(core::event::OwnerGone{lease}); }) {
  host_.settings = settings_of(config_, root_);
  runner_ = std::make_unique<jobs::JobRunner>(
      jobs::HostFacts{root_.string(), config_.reserve_bytes}, threads_for(host_.settings),
      [this](core::Event event) { asio::post(loop_, [this, event = std::move(event)]() mutable { feed(std::move(event)); }); });
}

Service::~Service() = default;

int Service::run() {
  ::signal(SIGPIPE, SIG_IGN);
  // Before anybody can find it: from then on it may be told to end, and is to drain.
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.add(SIGHUP);
  on_signal();
  server_.listen(socket_);
  instance_.publish({::getpid(), WTPOOL_VERSION, socket_.string(), root_.string()});
  log_info(std::string("wtpoold ") + WTPOOL_VERSION + " serves " + root_.string() + " at " + socket_.string());
  if (const int fd = runner_->seals().fd(); fd >= 0) seals_.assign(::dup(fd));
  watch_seals();
  see_pools();
  loop_.run();
  seals_.close();
  runner_.reset();
  log_info("wtpoold ends");
  return 0;
}

// A job that cannot even be started, for want of descriptors say, has failed like one that was: nothing throws past the loop.
void Service::start_job(const core::effect::StartJob& effect) {
  try {
    runner_->start(effect);
  } catch (const std::exception& failed) {
    const auto* known = dynamic_cast<const proto::Error*>(&failed);
    proto::Error error = known != nullptr ? *known : proto::Error(proto::ErrorKind::io_error, failed.what());
    error.message = "cannot start a job: " + error.message;
    log_error(error.message);
    asio::post(loop_, [this, job = effect.grant.job, error = std::move(error)] {
      feed(core::event::JobFinished{job, core::JobFailed{core::Fault::host_fault, error}});
    });
  }
}

void Service::on_signal() {
  signals_.async_wait([this](asio::error_code error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else {
      begin_shutdown(shutting_down_);
    }
    on_signal();
  });
}

// A first SIGTERM drains, with leases kept; a second leaves at once, which is as safe as a kill.
void Service::begin_shutdown(bool at_once) {
  if (at_once) {
    log_warn("leaving at once");
    leave();
    ::_exit(0);
  }
  if (std::exchange(shutting_down_, true)) return;
  log_info("draining");
  for (const auto& held : held_slots(host_)) {
    if (const auto lost = lost_lease(held)) log_warn("pool " + held.pool + ": " + *lost);
  }
  drain_timer_.expires_after(kDrain);
  drain_timer_.async_wait([this](asio::error_code error) {
    if (!error) begin_shutdown(true);
  });
  feed(core::event::Shutdown{});
}

// Connections that end because the daemon does end no lease.
void Service::leave() {
  leaving_ = true;
  server_.close();
}

void Service::reload() {
  try {
    const auto config = read_host_config(paths_);
    const auto limits = host_.settings;
    host_.settings = settings_of(config, root_);
    // Threads are made once; what depends on their number stays.
    host_.settings.answering_limit = limits.answering_limit;
    host_.settings.recycling_limit = limits.recycling_limit;
    const auto before = std::exchange(config_, config);
    runner_->set_reserve(config.reserve_bytes);
    if (!verbose_ && config.log_level != before.log_level) log_as_configured();
    log_info("host config read again");
  } catch (const proto::Error& error) {
    log_error("the host config is bad, the last good one stays: " + error.message);
  }
}

void Service::log_as_configured() {
  try {
    open_log(paths_.log_file, log_level_of(config_), false);
  } catch (const proto::Error& error) {
    log_error("the log stays as it is: " + error.message);
  }
}

// Which pools stand below the root now: a directory with a config. Two system calls a pool, before each request.
void Service::see_pools() {
  core::event::PoolsSeen seen;
  std::vector<std::filesystem::path> found;
  try {
    found = children_of(root_);
  } catch (const proto::Error&) {
    return;  // what is served stays served
  }
  for (const auto& pool : found) {
    const std::string key = pool.filename().string();
    if (key.empty() || key.front() == '.') continue;
    struct ::stat config {};
    struct ::stat directory {};
    if (::stat((pool / ".meta" / "config.yaml").c_str(), &config) != 0 || ::stat(pool.c_str(), &directory) != 0) continue;
    seen.pools.push_back(
        {PoolKey(key),
         std::to_string(config.st_ino) + ":" + std::to_string(config.st_size) + ":" + std::to_string(modified_ns(config)),
         static_cast<std::uint64_t>(directory.st_dev)});
  }
  feed(std::move(seen));
}

// What happened in sealed trees until now is known before a request is judged. `every`: their private files are asked, too.
void Service::see_seals(bool every) {
  for (auto& [pool, slot] : runner_->seals().ended(every)) feed(core::event::Unsealed{std::move(pool), std::move(slot)});
}

void Service::watch_seals() {
  if (!seals_.is_open()) return;
  seals_.async_wait(asio::posix::stream_descriptor::wait_read, [this](asio::error_code error) {
    if (error) return;
    see_seals(false);
    watch_seals();
  });
}

void Service::on_request(RequestId id, SessionId session, const proto::Params& params) {
  if (answer_here(id, session, params)) return;
  core::event::Request request{id, session, params, LeaseId(random_hex(32)), std::nullopt};
  if (auto* acquire = std::get_if<proto::AcquireParams>(&request.params)) {
    if (const auto why = bad_name(acquire->name)) {
      proto::Error bad(proto::ErrorKind::bad_name, "cannot acquire '" + printable(acquire->name) + "': the name " + *why);
      bad.name = printable(acquire->name);
      return server_.refuse(id, bad);
    }
    if (acquire->owner_pid) request.owner = owner_of(*acquire->owner_pid);
    if (acquire->ports) wants_ports_.insert(id);
  } else if (const auto* restore = std::get_if<proto::TrashRestoreParams>(&request.params); restore && restore->branch) {
    if (const auto why = bad_name(*restore->branch)) {
      return server_.refuse(id, {proto::ErrorKind::bad_name, "cannot restore " + printable(restore->id) + " as branch '" +
                                                                 printable(*restore->branch) + "': the name " + *why});
    }
  } else if (const auto* confirm = std::get_if<proto::ConfirmParams>(&request.params)) {
    if (confirm->process_group) request.owner = owner_of(*confirm->process_group);
  } else if (const auto* resume = std::get_if<proto::ResumeParams>(&request.params)) {
    if (resume->process_group) request.owner = owner_of(*resume->process_group);
  } else if (const auto* subscribe = std::get_if<proto::SubscribeParams>(&request.params)) {
    subscribing_.emplace(id, subscribe->scope.pool.value_or(std::string{}));
  }
  see_seals(std::holds_alternative<proto::SlotListParams>(request.params) ||
            std::holds_alternative<proto::SlotInspectParams>(request.params));
  see_pools();
  feed(std::move(request));
}

bool Service::answer_here(RequestId id, SessionId session, const proto::Params& params) {
  if (std::holds_alternative<proto::HostShutdownParams>(params)) {
    server_.reply(id, proto::EmptyResult{});
    begin_shutdown(false);
    return true;
  }
  if (std::holds_alternative<proto::HostReloadParams>(params)) {
    reload();
    server_.reply(id, proto::EmptyResult{});
    return true;
  }
  if (const auto* doctor = std::get_if<proto::HostDoctorParams>(&params)) {
    if (doctor->repair) {
      plan_and_repair(id, session, params);
    } else {
      look_and_reply(id, {});
    }
    return true;
  }
  return false;
}

// One at a time, on the thread that is there for them: they go before no slot job, however many are asked for.
void Service::check_host(RequestId id, std::function<void()> check) {
  checks_.emplace_back(id, std::move(check));
  next_check();
}

void Service::next_check() {
  std::erase_if(checks_, [this](const auto& waiting) { return !server_.awaits(waiting.first); });
  if (checks_.empty() || std::exchange(checking_, true)) return;
  runner_->run([this, id = checks_.front().first, check = std::move(checks_.front().second)] {
    try {
      check();
    } catch (const std::exception& failed) {
      proto::Error error(proto::ErrorKind::io_error, std::string("cannot look at the host: ") + failed.what());
      asio::post(loop_, [this, id, error = std::move(error)] { server_.refuse(id, error); });
    }
    asio::post(loop_, [this] {
      checking_ = false;
      next_check();
    });
  });
  checks_.pop_front();
}

// The host's checks, and behind them what was done before.
void Service::look_and_reply(RequestId id, std::vector<proto::DoctorCheck> did) {
  check_host(id, [this, id, did = std::move(did),
                  facts = CheckFacts{paths_, root_, socket_, true, pools_away(host_), {}, held_slots(host_)}] {
    auto result = run_doctor(facts);
    result.checks.insert(result.checks.end(), did.begin(), did.end());
    asio::post(loop_, [this, id, result = std::move(result)] { server_.reply(id, result); });
  });
}

void Service::plan_and_repair(RequestId id, SessionId session, const proto::Params& params) {
  check_host(id, [this, id, session, params, facts = CheckFacts{paths_, root_, socket_, true}] {
    auto plan = plan_repair(facts);
    asio::post(loop_, [this, id, session, params, plan = std::move(plan)] {
      for (const auto& line : plan) server_.tell(id, proto::Warning{0, line});
      see_pools();
      feed(core::event::Request{id, session, params, LeaseId(random_hex(32)), std::nullopt});
    });
  });
}

// Effects may lead to further events (a reply closes a session): those wait for the end of the turn.
void Service::feed(core::Event event) {
  waiting_.push_back(std::move(event));
  if (std::exchange(feeding_, true)) return;
  while (!waiting_.empty()) {
    const auto batch = std::exchange(waiting_, {});
    for (const auto& next : batch) {
      auto effects = core::step(host_, next, {awake_now(), wall_now()});
      for (auto& effect : effects) perform(effect);
    }
  }
  feeding_ = false;
  arm();
}

void Service::reply(const core::effect::Reply& effect) {
  if (const auto* status = std::get_if<proto::StatusResult>(&effect.result)) {
    proto::StatusResult whole = *status;
    whole.pid = ::getpid();
    whole.version = WTPOOL_VERSION;
    whole.socket = socket_.string();
    whole.root = root_.string();
    whole.uptime_seconds = std::chrono::duration<double>(awake_now() - started_).count();
    whole.clients = static_cast<std::int64_t>(server_.clients());
    return server_.reply(effect.request, whole);
  }
  if (const auto* doctor = std::get_if<proto::DoctorResult>(&effect.result)) {
    return look_and_reply(effect.request, doctor->checks);
  }
  if (wants_ports_.erase(effect.request) > 0) {
    auto granted = std::get<proto::AcquireResult>(effect.result);
    granted.port_base = ports_.base_for(PoolKey(granted.pool), SlotId(granted.slot));
    return server_.reply(effect.request, granted);
  }
  if (const auto found = subscribing_.find(effect.request); found != subscribing_.end()) {
    // In the turn of the snapshot: no event is lost between them, and none comes before it.
    server_.reply(effect.request, effect.result, found->second);
    subscribing_.erase(found);
    return;
  }
  server_.reply(effect.request, effect.result);
}

void Service::perform(core::Effect& effect) {
  struct Visitor {
    Service& self;
    void operator()(const core::effect::Reply& e) const { self.reply(e); }
    void operator()(const core::effect::Refuse& e) const {
      self.wants_ports_.erase(e.request);
      self.subscribing_.erase(e.request);
      self.server_.refuse(e.request, e.error);
    }
    void operator()(const core::effect::Tell& e) const { self.server_.tell(e.request, e.note); }
    void operator()(const core::effect::Emit& e) const { self.server_.broadcast(e.note); }
    void operator()(const core::effect::StartJob& e) const { self.start_job(e); }
    void operator()(const core::effect::StopJob& e) const { self.runner_->stop(e.job); }
    void operator()(const core::effect::WatchOwner& e) const { self.owners_.watch(e.lease, e.owner); }
    void operator()(const core::effect::UnwatchOwner& e) const { self.owners_.unwatch(e.lease); }
    void operator()(const core::effect::DropSeal& e) const { self.runner_->seals().drop({e.pool, e.slot}); }
    void operator()(const core::effect::Log& e) const { log(static_cast<LogLevel>(std::clamp(e.level, 0, 3)), e.message); }
    void operator()(const core::effect::Drained&) const {
      asio::post(self.loop_, [&service = self] {
        service.drain_timer_.cancel();
        service.leave();
        service.loop_.stop();
      });
    }
  };
  std::visit(Visitor{*this}, effect);
}

void Service::arm() {
  const auto due = core::next_deadline(host_);
  if (!due) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::max(*due - awake_now(), std::chrono::nanoseconds(0)));
  timer_.async_wait([this](asio::error_code error) {
    if (!error) feed(core::event::Tick{});
  });
}

}  // namespace wtpool::app
