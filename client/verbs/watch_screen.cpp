#include "client/verbs/watch_screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "client/cli/render.hpp"
#include "client/verbs/ask.hpp"

namespace wtpool::client {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kRedraw = 1s;  // HELD is shown in seconds

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

Size size_of(int fd) {
  struct winsize size = {};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 && size.ws_col > 1) return {size.ws_row, size.ws_col};
  return {};
}

class Screen {
 public:
  explicit Screen(Output& output) : output_(output) {}
  // Over what it drew before; false when the terminal is gone.
  bool draw(const std::string& table) {
    const Size size = size_of(output_.streams().out);
    const std::string shown = clipped(table, size.rows - 1, size.columns);
    std::string text = "\r";
    if (lines_ > 0) text += "\033[" + std::to_string(lines_) + "A";
    lines_ = std::ranges::count(shown, '\n');
    return output_.result(text + "\033[J" + shown);
  }

 private:
  Output& output_;
  std::ptrdiff_t lines_ = 0;
};

std::string aged(const std::vector<proto::SlotInfo>& slots, std::chrono::seconds age) {
  auto older = slots;
  for (proto::SlotInfo& slot : older) {
    if (slot.held_seconds) *slot.held_seconds += age.count();
  }
  return render_slots(older);
}

bool took_event(Connection& connection) {
  bool any = false;
  while (connection.next_event()) any = true;
  return any;
}

}  // namespace

std::string clipped(const std::string& text, std::size_t rows, std::size_t columns) {
  std::string shown;
  std::size_t line = 0;
  std::size_t column = 0;
  for (const char c : text) {
    if (line == rows) break;
    const bool starts_character = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (c == '\n') {
      ++line;
      column = 0;
    } else if (starts_character) {
      ++column;
    }
    if (column <= columns) shown += c;
  }
  return shown;
}

int watch_slots(const proto::SlotListParams& params, Context& context) {
  if (context.globals.json || ::isatty(context.output.streams().out) != 1) {
    context.output.say(context.globals.json ? "cannot watch as JSON: ls --watch draws a table"
                                            : "cannot watch: standard output is no terminal");
    context.output.lines("hint: wtpool watch\n");
    return kWrongUsage;
  }
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  Connection& connection = opened.connection;
  Interrupts interrupts;
  const auto call = [&]<class R>(const proto::Params& what, Output& output, R) {
    const Answer answer = connection.call(what, {output, interrupts, OnSignal::cancel, kReportLimit});
    R result = result_of<R>(answer, context, interrupts);
    if (interrupts.count() > 0) throw Interrupted{interrupts.last()};
    return result;
  };
  proto::SubscribeParams subscribe;
  subscribe.scope = params.scope;
  static_cast<void>(call(subscribe, context.output, proto::SlotListResult{}));

  Screen screen(context.output);
  Output said_already(context.output.streams(), Loudness::quiet);  // with the subscription; a table is drawn over its own lines
  while (true) {
    const auto list = call(params, said_already, proto::SlotListResult{});
    const auto fetched = steady_clock::now();
    do {
      const auto age = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - fetched);
      if (!screen.draw(aged(list.slots, age))) return 0;
      std::array<struct pollfd, 2> ready = {{{connection.descriptor(), POLLIN, 0}, {interrupts.descriptor(), POLLIN, 0}}};
      ::poll(ready.data(), ready.size(), static_cast<int>(std::chrono::milliseconds(kRedraw).count()));
      interrupts.drain();
      if (interrupts.count() > 0) throw Interrupted{interrupts.last()};
      if (ready[0].revents != 0) connection.receive();
    } while (!took_event(connection));
  }
}

}  // namespace wtpool::client
