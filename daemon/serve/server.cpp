#include "daemon/serve/server.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/error.hpp>
#include <asio/post.hpp>

#include "common/base/log.hpp"
#include "common/files/files.hpp"
#include "common/host_paths.hpp"
#include "common/platform/peer.hpp"
#include "proto/shell_word.hpp"

namespace wtpool::serve {
namespace {

using asio::local::stream_protocol;
constexpr std::chrono::seconds kSocketCheck{5};
constexpr std::chrono::milliseconds kAcceptPause{100};

std::map<std::string, std::int64_t> limits() {
  return {{"frame", static_cast<std::int64_t>(proto::kMaxFrame)},
          {"nesting", proto::kMaxNesting},
          {"string", static_cast<std::int64_t>(proto::kMaxString)},
          {"connections", proto::kMaxConnections},
          {"in_flight", proto::kMaxInFlight},
          {"waiters", proto::kMaxWaiters},
          {"output", static_cast<std::int64_t>(proto::kMaxOutput)},
          {"frame_seconds", proto::kFrameSeconds}};
}

// Asio opens its sockets without it; a child that kept one would keep a client waiting.
void keep_from_children(int fd) { (void)::fcntl(fd, F_SETFD, FD_CLOEXEC); }

bool somebody_answers(const std::filesystem::path& path) {
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (!fd.valid()) return false;
  keep_from_children(fd.get());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return false;
  const auto listener = platform::peer_of(fd.get());
  return !listener || !platform::is_gone(*listener);
}

// Numbers of processes that somebody names who counts them in another namespace: what can do without goes on without them,
// since the environment of a lease's processes tells them apart too; the rest is refused.
std::optional<proto::Error> without_numbers(proto::Params& params) {
  if (auto* release = std::get_if<proto::ReleaseParams>(&params)) release->caller_pids.clear();
  if (auto* confirm = std::get_if<proto::ConfirmParams>(&params)) confirm->process_group.reset();
  if (auto* resume = std::get_if<proto::ResumeParams>(&params)) resume->process_group.reset();
  const auto* acquire = std::get_if<proto::AcquireParams>(&params);
  if (acquire == nullptr || !acquire->owner_pid) return std::nullopt;
  return proto::Error(proto::ErrorKind::invalid_params,
                      "owner_pid: process " + std::to_string(*acquire->owner_pid) +
                          " is of another pid namespace than the daemon, a container's say: its end is not seen here",
                      "wtpool acquire " + proto::shell_word(acquire->name) + " --ttl 1h");
}

}  // namespace

void prepare_socket_directory(const std::filesystem::path& socket) {
  const auto directory = socket.parent_path();
  const auto refuse = [&](const std::string& why) {
    throw proto::Error(proto::ErrorKind::permission_denied,
                       "cannot serve at " + socket.string() + ": its directory " + directory.string() + " " + why,
                       directory.filename().string().ends_with("wtpool")
                           ? "chmod 700 " + proto::shell_word(directory.string())
                           : "choose a directory of its own, with mode 0700, for the socket");
  };
  if (!lstat_of(directory)) make_directories(directory, 0700);
  const auto stat = lstat_of(directory);
  if (!stat || !S_ISDIR(stat->st_mode)) refuse(stat && S_ISLNK(stat->st_mode) ? "is a symbolic link" : "is no directory");
  if (stat->st_uid != ::geteuid()) refuse("belongs to another user");
  if ((stat->st_mode & 077) != 0) refuse("is open to other users");
}

Server::Server(asio::io_context& loop, Identity identity, Handler handler)
    : loop_(loop),
      identity_(std::move(identity)),
      handler_(std::move(handler)),
      acceptor_(loop),
      watch_timer_(loop),
      retry_timer_(loop) {}

Server::~Server() = default;

void Server::listen(const std::filesystem::path& socket) {
  path_ = socket;
  check_socket_path(path_);
  prepare_socket_directory(path_);
  if (const auto stat = lstat_of(path_); stat && !S_ISSOCK(stat->st_mode)) {
    throw proto::Error(proto::ErrorKind::io_error,
                       "cannot serve at " + path_.string() + ": something that is no socket stands there");
  }
  if (somebody_answers(path_)) {
    throw proto::Error(proto::ErrorKind::io_error, "cannot serve at " + path_.string() + ": another daemon answers there");
  }
  bind();
  watch_socket();
}

void Server::bind() {
  // The short name keeps the temporary path within the platform's limit wherever the final one is.
  const auto temporary = path_.parent_path() / (".w" + std::to_string(::getpid() % 1000));
  const auto bound = temporary.string().size() <= path_.string().size() ? temporary : path_;
  (void)::unlink(bound.c_str());
  stream_protocol::acceptor fresh(loop_);
  fresh.open();
  keep_from_children(fresh.native_handle());
  const mode_t old = ::umask(0177);
  asio::error_code error;
  fresh.bind(stream_protocol::endpoint(bound.string()), error);
  ::umask(old);
  if (!error) fresh.listen(1024, error);
  if (error) throw proto::Error(proto::ErrorKind::io_error, "cannot serve at " + path_.string() + ": " + error.message());
  if (bound != path_ && ::rename(bound.c_str(), path_.c_str()) != 0) throw io_error("cannot serve at", path_, errno);
  const auto stat = lstat_of(path_);
  if (!stat) throw io_error("cannot serve at", path_, ENOENT);
  inode_ = stat->st_ino;
  device_ = stat->st_dev;
  acceptor_ = std::move(fresh);
  accept();
}

void Server::watch_socket() {
  watch_timer_.expires_after(kSocketCheck);
  watch_timer_.async_wait([this](asio::error_code error) {
    if (error) return;
    const auto stat = lstat_of(path_);
    if (!stat || stat->st_ino != inode_ || stat->st_dev != device_) {
      try {
        log_warn("the socket " + path_.string() + " was removed or replaced; binding it again");
        prepare_socket_directory(path_);
        bind();
      } catch (const std::exception& failed) {
        log_error(failed.what());
      }
    }
    watch_socket();
  });
}

void Server::accept() {
  acceptor_.async_accept([this](asio::error_code error, Socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error) {
      // Out of descriptors: pause, so that the loop does not spin on a listener that stays readable.
      log_warn("cannot accept a connection: " + error.message());
      retry_timer_.expires_after(kAcceptPause);
      retry_timer_.async_wait([this](asio::error_code stopped) {
        if (!stopped) accept();
      });
      return;
    }
    take(std::move(socket));
    accept();
  });
}

void Server::take(Socket socket) {
  keep_from_children(socket.native_handle());
  const auto peer = platform::peer_of(socket.native_handle());
  if (!peer || (peer->uid != ::geteuid() && peer->uid != 0)) {
    log_warn("refused a connection of " + (peer ? "user " + std::to_string(peer->uid) : std::string("an unknown user")));
    return;
  }
  const SessionId id(next_session_++);
  Session::Hooks hooks;
  hooks.request = [this](Session& session, proto::RequestFrame frame) { on_request(session, std::move(frame)); };
  hooks.cancel = [this](Session& session, const proto::WireId& target) { on_cancel(session, target); };
  hooks.has_stake = [this](const Session& session) { return handler_.has_stake(session.id()); };
  hooks.closed = [this](SessionId closed) { on_closed(closed); };
  auto session = std::make_shared<Session>(id, std::move(socket), std::move(hooks));
  if (sessions_.size() >= static_cast<std::size_t>(proto::kMaxConnections)) {
    log_warn("refused a connection: " + std::to_string(sessions_.size()) + " are open already");
    return;
  }
  if (peer->pid) session->pid = *peer->pid;
  session->of_another_pid_namespace = platform::is_of_another_pid_namespace(*peer);
  sessions_.emplace(id, session);
  session->start();
}

bool Server::answer_here(Session& session, const proto::RequestFrame& frame) {
  if (const auto* hello = std::get_if<proto::HelloParams>(&frame.params)) {
    if (hello->protocol != proto::kProtocolVersion) {
      session.answer(frame.id,
                     proto::Error(proto::ErrorKind::invalid_params,
                                  "protocol " + std::to_string(hello->protocol) + " is not spoken here; this daemon speaks 1",
                                  "wtpool daemon restart"));
      return true;
    }
    if (hello->root && real_path(*hello->root) != real_path(identity_.root)) {
      session.answer(frame.id, proto::Error(proto::ErrorKind::root_mismatch,
                                            "WORKTREE_ROOT is " + *hello->root + ", but the daemon serves " + identity_.root,
                                            "unset WORKTREE_ROOT, or: wtpool daemon restart"));
      return true;
    }
    session.said_hello = true;
    session.client = hello->client;
    proto::HelloResult result;
    result.server = "wtpoold/" + identity_.version;
    result.instance_id = identity_.instance_id;
    result.features = {"confirm", "progress", "cancel", "warnings"};
    result.limits = limits();
    session.answer(frame.id, result);
    return true;
  }
  if (std::holds_alternative<proto::PingParams>(frame.params)) {
    session.answer(frame.id, proto::EmptyResult{});
    return true;
  }
  if (std::holds_alternative<proto::DiscoverParams>(frame.params)) {
    session.answer(frame.id, proto::DiscoverResult{});
    return true;
  }
  return false;
}

void Server::on_request(Session& session, proto::RequestFrame frame) {
  if (!session.admit(frame.id)) return;
  for (const auto& [other, wire] : by_session_[session.id()]) {
    if (wire == frame.id) {
      return session.answer(frame.id,
                            proto::Error(proto::ErrorKind::invalid_request, "another request with this id is in flight"));
    }
  }
  if (answer_here(session, frame)) return;
  if (session.of_another_pid_namespace) {
    if (const auto refused = without_numbers(frame.params)) return session.answer(frame.id, *refused);
  }
  const RequestId id(next_request_++);
  pending_.emplace(id, Pending{session.id(), frame.id, asked_for(frame.params)});
  by_session_[session.id()].emplace(id, frame.id);
  handler_.request(id, session.id(), frame.params);
}

void Server::on_cancel(Session& session, const proto::WireId& target) {
  for (const auto& [id, wire] : by_session_[session.id()]) {
    if (wire == target) return handler_.cancel(RequestId(id));
  }
}

void Server::on_closed(SessionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto keep = found->second;  // alive until this turn ends
  sessions_.erase(found);
  asio::post(loop_, [keep] {});
  for (const auto& [request, wire] : by_session_[id]) pending_.erase(request);
  by_session_.erase(id);
  handler_.closed(id);
}

std::optional<Server::Pending> Server::settle(RequestId id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return std::nullopt;
  Pending pending = found->second;
  pending_.erase(found);
  if (const auto session = by_session_.find(pending.session); session != by_session_.end()) session->second.erase(id);
  return pending;
}

void Server::reply(RequestId id, const proto::Result& result) {
  const auto pending = settle(id);
  if (!pending) return;
  const auto session = sessions_.find(pending->session);
  if (session == sessions_.end()) return;
  session->second->answer(pending->wire, result);
  audit(pending->asked, {session->second->pid, session->second->client}, result);
}

void Server::reply(RequestId id, const proto::Result& snapshot, const std::string& pool) {
  const auto pending = pending_.find(id);
  if (pending != pending_.end()) {
    if (const auto session = sessions_.find(pending->second.session); session != sessions_.end()) {
      session->second->subscribed = true;
      session->second->subscribed_pool = pool;
    }
  }
  reply(id, snapshot);
}

void Server::refuse(RequestId id, const proto::Error& error) {
  const auto pending = settle(id);
  if (!pending) return;
  const auto session = sessions_.find(pending->session);
  if (session == sessions_.end()) return;
  session->second->answer(pending->wire, error);
  audit(pending->asked, {session->second->pid, session->second->client}, error);
}

void Server::tell(RequestId id, proto::Notification note) {
  const auto pending = pending_.find(id);
  if (pending == pending_.end()) return;
  const auto session = sessions_.find(pending->second.session);
  if (session == sessions_.end() || !session->second->said_hello) return;
  const auto* wire = std::get_if<std::int64_t>(&pending->second.wire);
  const std::int64_t number = wire != nullptr ? *wire : 0;
  if (auto* progress = std::get_if<proto::Progress>(&note)) progress->request = number;
  if (auto* warning = std::get_if<proto::Warning>(&note)) warning->request = number;
  if (auto* candidate = std::get_if<proto::CandidateNote>(&note)) candidate->request = number;
  session->second->notify(note);
}

void Server::broadcast(const proto::EventNote& note) {
  audit(note);
  for (const auto& [id, session] : sessions_) {
    if (session->subscribed && (session->subscribed_pool.empty() || session->subscribed_pool == note.pool))
      session->notify(note);
  }
}

void Server::close() {
  asio::error_code ignored;
  watch_timer_.cancel();
  retry_timer_.cancel();
  acceptor_.close(ignored);
  const auto stat = lstat_of(path_);
  if (stat && stat->st_ino == inode_ && stat->st_dev == device_) (void)::unlink(path_.c_str());
  const auto open = sessions_;
  for (const auto& [id, session] : open) session->close();
}

}  // namespace wtpool::serve
