// One connection: lines in, requests out; answers and notifications in, lines out. Lives on the loop's thread alone. It keeps
// the protocol's limits; what a request means is not its business.
#pragma once

#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "proto/codec/codec.hpp"
#include "proto/codec/splitter.hpp"
#include "proto/ids.hpp"

namespace wtpool::serve {

using Socket = asio::local::stream_protocol::socket;

class Session : public std::enable_shared_from_this<Session> {
 public:
  struct Hooks {
    std::function<void(Session&, proto::RequestFrame)> request;
    std::function<void(Session&, const proto::WireId&)> cancel;
    std::function<bool(const Session&)> has_stake;  // it holds a lease, or listens: a half-closed one is then kept
    std::function<void(SessionId)> closed;          // once, last
  };

  Session(SessionId id, Socket socket, Hooks hooks);
  void start();
  void close();

  [[nodiscard]] SessionId id() const { return id_; }
  void answer(const proto::WireId& to, const proto::Result& result);
  void answer(const proto::WireId& to, const proto::Error& error);
  void notify(const proto::Notification& note);
  // A request is in flight from here to its answer.
  [[nodiscard]] bool admit(const proto::WireId& id);
  // Closes a half-closed connection that nothing is owed to any more.
  void maybe_finish();

  bool said_hello = false;
  bool of_another_pid_namespace = false;  // the numbers of processes that it names mean nothing here
  bool subscribed = false;
  std::string subscribed_pool;  // empty: all
  std::string client = "-";
  std::optional<std::int64_t> pid;  // of the process at the other end, where the system tells it

 private:
  void read();
  void take_lines();
  void take_line(const std::string& line);
  void watch_for_hang_up();
  void watch_partial();
  void send(std::string line, bool may_drop);
  void write();
  void finish_after_output();

  SessionId id_;
  Socket socket_;
  Hooks hooks_;
  asio::steady_timer partial_timer_;
  proto::FrameSplitter splitter_;
  std::array<char, 64 * 1024> buffer_{};
  std::deque<std::string> output_;
  std::size_t output_bytes_ = 0;
  std::int64_t dropped_ = 0;
  std::size_t in_flight_ = 0;
  bool writing_ = false;
  bool end_of_input_ = false;
  bool finishing_ = false;
  bool partial_armed_ = false;
  bool closed_ = false;
};

}  // namespace wtpool::serve
