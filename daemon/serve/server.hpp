// The listener and the table of who asked what. On the loop's thread alone. Answers what needs no state of the core (hello,
// ping, rpc.discover); everything else goes to `Handler` as a request with an id of the daemon's own.
#pragma once

#include <sys/stat.h>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "common/files/fd.hpp"
#include "daemon/serve/audit.hpp"
#include "daemon/serve/session.hpp"

namespace wtpool::serve {

struct Identity {
  std::string version;
  std::string instance_id;
  std::string root;
};

struct Handler {
  std::function<void(RequestId, SessionId, const proto::Params&)> request;
  std::function<void(RequestId)> cancel;
  std::function<bool(SessionId)> has_stake;
  std::function<void(SessionId)> closed;
};

// Makes the socket's directory if it is missing and refuses one that is a symlink, somebody else's, or open to others.
void prepare_socket_directory(const std::filesystem::path& socket);

class Server {
 public:
  Server(asio::io_context& loop, Identity identity, Handler handler);
  ~Server();

  // Binds beside the place and renames onto it, so that whoever connects meets a listening socket with its final mode. A
  // socket of a daemon that answers is an error; a dead one is replaced. Then keeps it there: lost ones are back within 5 s.
  void listen(const std::filesystem::path& socket);
  void close();  // no new connections, every open one closed, the socket file removed if it is ours

  void reply(RequestId id, const proto::Result& result);
  // The same, and from then on its connection gets the events of `pool` (of all pools when empty).
  void reply(RequestId id, const proto::Result& snapshot, const std::string& pool);
  void refuse(RequestId id, const proto::Error& error);
  void tell(RequestId id, proto::Notification note);
  void broadcast(const proto::EventNote& note);
  [[nodiscard]] bool awaits(RequestId id) const { return pending_.contains(id); }  // somebody still wants its answer
  [[nodiscard]] std::size_t clients() const { return sessions_.size(); }

 private:
  struct Pending {
    SessionId session;
    proto::WireId wire;
    Asked asked;
  };
  void bind();
  void accept();
  void take(Socket socket);
  void on_request(Session& session, proto::RequestFrame frame);
  void on_cancel(Session& session, const proto::WireId& target);
  void on_closed(SessionId id);
  void watch_socket();
  [[nodiscard]] bool answer_here(Session& session, const proto::RequestFrame& frame);
  std::optional<Pending> settle(RequestId id);

  asio::io_context& loop_;
  Identity identity_;
  Handler handler_;
  std::filesystem::path path_;
  asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer watch_timer_;
  asio::steady_timer retry_timer_;
  ino_t inode_ = 0;
  dev_t device_ = 0;
  std::uint64_t next_session_ = 1;
  std::uint64_t next_request_ = 1;
  std::map<SessionId, std::shared_ptr<Session>> sessions_;
  std::map<RequestId, Pending> pending_;
  std::map<SessionId, std::map<RequestId, proto::WireId>> by_session_;
};

}  // namespace wtpool::serve
