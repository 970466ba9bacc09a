// The usual way of a verb: a connection (the daemon started if need be), one request, its result.
#pragma once

#include <chrono>

#include "client/daemon/connection.hpp"
#include "client/daemon/endpoint.hpp"
#include "client/verbs/verbs.hpp"

namespace wtpool::client {

// Reports take the daemon moments; when it does not answer for so long, it is stuck.
inline constexpr std::chrono::seconds kReportLimit{120};

// The answer's text or its error thrown; after a signal whatever the answer says is followed by leaving.
template <class R>
[[nodiscard]] R result_of(const Answer& answer, Context& context, const Interrupts& interrupts) {
  if (answer.error) {
    if (!answer.cancel_asked) throw *answer.error;
    if (answer.error->kind != proto::ErrorKind::cancelled) context.output.error(*answer.error);
    throw Interrupted{interrupts.last()};
  }
  return proto::decode_result<R>(answer.result);
}

template <class R>
[[nodiscard]] R ask(Connection& connection, Context& context, const proto::Params& params,
                    std::optional<std::chrono::milliseconds> limit = std::nullopt) {
  Interrupts interrupts;
  R result = result_of<R>(connection.call(params, {context.output, interrupts, OnSignal::cancel, limit}), context, interrupts);
  if (interrupts.count() > 0) throw Interrupted{interrupts.last()};
  return result;
}

template <class R>
[[nodiscard]] R ask(Context& context, const proto::Params& params,
                    std::optional<std::chrono::milliseconds> limit = std::nullopt) {
  Opened opened = open_daemon(context.globals, context.paths, Start::if_needed);
  return ask<R>(opened.connection, context, params, limit);
}

// Exit code of a verb whose result is `text`: 1 when it could not be written out.
[[nodiscard]] int write_result(Context& context, const std::string& text);

// What a person typed. Throws bad_name when it is empty, as a variable that a script never set is: that names nobody, and
// "not held" would be no answer to what was meant.
[[nodiscard]] std::string named(const std::string& typed);
[[nodiscard]] proto::Target target_of(const std::string& typed);

}  // namespace wtpool::client
