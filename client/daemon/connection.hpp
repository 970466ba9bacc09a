// One connection to the daemon: blocking, one request at a time, every wait bounded or ended by a signal. Throws
// proto::Error(unreachable) when the daemon is not there, goes away or does not speak the protocol. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "client/cli/interrupts.hpp"
#include "client/cli/output.hpp"
#include "common/files/fd.hpp"
#include "proto/codec/codec.hpp"

namespace wtpool::client {

// A connected socket; nothing when nobody listens there (no such file, or refused). Refuses a socket directory that is not
// the user's own with mode 0700, and a peer of another user, with permission_denied.
[[nodiscard]] std::optional<Fd> connect_to(const std::filesystem::path& socket);

enum class OnSignal {
  cancel,  // take the request back: `$/cancel`, then its answer
  finish,  // it is worth more finished; a second signal leaves
};

struct Waiting {
  Output& output;
  Interrupts& interrupts;
  OnSignal on_signal = OnSignal::cancel;
  std::optional<std::chrono::milliseconds> limit;  // absent: the daemon's own limits do
};

struct Answer {
  std::string result;  // JSON text
  std::optional<proto::Error> error;
  bool cancel_asked = false;  // a signal came first, and the daemon was told
};

class Connection {
 public:
  Connection(Fd socket, std::filesystem::path where);

  // Version and root agree, or throws what the daemon says (root_mismatch). False: it closed the connection before it said
  // anything, and nothing was asked of it.
  [[nodiscard]] bool hello(const std::optional<std::filesystem::path>& root);
  [[nodiscard]] Answer call(const proto::Params& params, const Waiting& waiting);
  std::int64_t send(const proto::Params& params);  // without waiting for the answer; its id
  void cancel(std::int64_t id);
  // True when the daemon has closed its end within `limit`.
  [[nodiscard]] bool wait_for_close(std::chrono::milliseconds limit);
  [[nodiscard]] std::optional<std::int64_t> peer_pid() const;

  // Events, once subscribed to, are kept in their order, those that come while a call waits as well. Between calls: poll for
  // the descriptor, read once what came, then take.
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  void receive();  // throws unreachable when the daemon closed its end
  [[nodiscard]] std::optional<proto::EventNote> next_event();
  // The same for the answer of a request that was sent, and for the candidates of a landing.
  [[nodiscard]] std::optional<Answer> next_answer(std::int64_t id, Output& output);
  [[nodiscard]] std::optional<proto::CandidateNote> next_candidate();

 private:
  using Moment = std::chrono::steady_clock::time_point;
  void write_line(std::string line);
  [[nodiscard]] bool fill();  // reads once what is there; false at the end of the stream
  [[nodiscard]] std::optional<std::string> take_line();
  [[nodiscard]] std::optional<Answer> take_answer(std::int64_t id, Output* output);
  void take_note(proto::Notification note, Output* output);
  [[nodiscard]] proto::Error lost(std::string_view why) const;

  Fd socket_;
  std::filesystem::path where_;
  std::string buffer_;
  std::size_t scanned_ = 0;
  std::int64_t last_id_ = 0;
  std::deque<proto::EventNote> events_;
  std::deque<proto::CandidateNote> candidates_;
};

}  // namespace wtpool::client
