// The daemon: the loop that owns the state, and what it is wired to. One thread runs it; jobs report to it by posting.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "common/host_paths.hpp"
#include "daemon/app/instance.hpp"
#include "daemon/app/owner_watch.hpp"
#include "daemon/app/port_book.hpp"
#include "daemon/core/step.hpp"
#include "daemon/disk/config.hpp"
#include "daemon/jobs/run/runner.hpp"
#include "daemon/serve/server.hpp"

namespace wtpool::app {

class Service {
 public:
  Service(InstanceLock instance, HostPaths paths, disk::HostConfig config, std::filesystem::path root,
          std::filesystem::path socket, bool verbose);  // verbose: whatever the config says, everything is logged
  ~Service();
  // Serves until it is told to end; the process's exit code.
  int run();

 private:
  void on_request(RequestId id, SessionId session, const proto::Params& params);
  [[nodiscard]] bool answer_here(RequestId id, SessionId session, const proto::Params& params);
  void check_host(RequestId id, std::function<void()> check);
  void next_check();
  void look_and_reply(RequestId id, std::vector<proto::DoctorCheck> did);
  void plan_and_repair(RequestId id, SessionId session, const proto::Params& params);
  void feed(core::Event event);
  void perform(core::Effect& effect);
  void reply(const core::effect::Reply& effect);
  void see_pools();
  void see_seals(bool every);
  void watch_seals();
  void arm();
  void start_job(const core::effect::StartJob& effect);
  void on_signal();
  void begin_shutdown(bool at_once);
  void leave();
  void reload();
  void log_as_configured();

  InstanceLock instance_;
  HostPaths paths_;
  disk::HostConfig config_;
  std::filesystem::path root_;
  std::filesystem::path socket_;
  bool verbose_;
  std::string instance_id_;
  std::chrono::nanoseconds started_;
  asio::io_context loop_;
  PortBook ports_;
  std::set<RequestId> wants_ports_;
  std::map<RequestId, std::string> subscribing_;  // with the pool asked for, or empty for all
  asio::signal_set signals_;
  asio::steady_timer timer_;
  asio::steady_timer drain_timer_;
  core::Host host_;
  serve::Server server_;
  asio::posix::stream_descriptor seals_;
  OwnerWatch owners_;
  std::unique_ptr<jobs::JobRunner> runner_;
  std::deque<std::pair<RequestId, std::function<void()>>> checks_;
  bool checking_ = false;
  bool shutting_down_ = false;
  bool leaving_ = false;
  bool feeding_ = false;
  std::vector<core::Event> waiting_;
};

}  // namespace wtpool::app
