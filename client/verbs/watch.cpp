// watch: events as they come, one JSON object a line.
#include <poll.h>

#include <array>
#include <cerrno>
#include <optional>

#include "client/verbs/ask.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {
namespace {

// Of a pipe, an error without being asked for any: its reader has gone.
bool reader_left(short events) { return (events & (POLLERR | POLLNVAL)) != 0; }

// The exit code when it could not be written: whoever reads has seen enough when they close their end.
std::optional<int> failed_write(Context& context, const std::string& line) {
  if (context.output.result(line + "\n")) return std::nullopt;
  return errno == EPIPE ? 0 : 1;
}

}  // namespace

int run_command(const WatchCommand&, Context& context) {
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Connection& connection = opened.connection;
  proto::SubscribeParams subscribe;
  subscribe.scope = context.scope();
  Interrupts interrupts;
  const Answer answer = connection.call(subscribe, {context.output, interrupts, OnSignal::cancel, kReportLimit});
  const auto slots = result_of<proto::SlotListResult>(answer, context, interrupts);
  if (const auto ended = failed_write(context, "{\"type\":\"snapshot\",\"slots\":" + proto::to_json_text(slots) + "}"))
    return *ended;
  while (true) {
    while (const auto event = connection.next_event()) {
      if (const auto ended = failed_write(context, proto::to_json_text(proto::Notification(*event)))) return *ended;
    }
    interrupts.drain();
    if (interrupts.count() > 0) throw Interrupted{interrupts.last()};
    std::array<struct pollfd, 3> ready = {
        {{connection.descriptor(), POLLIN, 0}, {interrupts.descriptor(), POLLIN, 0}, {context.output.streams().out, 0, 0}}};
    ::poll(ready.data(), ready.size(), -1);
    if (reader_left(ready[2].revents)) return 0;
    if (ready[0].revents != 0) connection.receive();
  }
}

}  // namespace wtpool::client
