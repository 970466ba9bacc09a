// The one place that knows JSON keys: values ↔ lines of JSON-RPC 2.0. Decoders throw proto::Error (invalid_params names the
// field and what it takes; unknown optional fields are ignored) and never anything else, whatever the bytes. Encoders never
// throw: text that is not UTF-8 is made so with U+FFFD. Every function is pure and may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proto/messages.hpp"

namespace wtpool::proto {

// A JSON-RPC id as it came: a number, a string, or none (a notification; also what an unparsable request is answered with).
using WireId = std::variant<std::monostate, std::int64_t, std::string>;

struct RequestFrame {
  WireId id;
  std::string method;
  Params params;
};
struct CancelFrame {  // the notification `$/cancel`
  WireId target;
};
using ClientFrame = std::variant<RequestFrame, CancelFrame>;

// A line that could not be taken as a request: what to answer, and to which id where one could be read.
struct BadFrame {
  WireId id;
  Error error;
};

// daemon side
[[nodiscard]] std::variant<ClientFrame, BadFrame> decode_client_frame(std::string_view line);
[[nodiscard]] std::string encode_answer(const WireId& id, const Result& result);
[[nodiscard]] std::string encode_answer(const WireId& id, const Error& error);
[[nodiscard]] std::string encode_notification(const Notification& note);

// client side
struct AnswerFrame {
  WireId id;
  std::variant<std::string, Error> outcome;  // the result as JSON text
};
struct NoteFrame {
  Notification note;
};
[[nodiscard]] std::string_view method_of(const Params& params);
[[nodiscard]] std::string encode_request(const WireId& id, const Params& params);
[[nodiscard]] std::string encode_cancel(const WireId& target);
// Throws unknown_method for a notification that this build does not know: a newer daemon's, to be skipped.
[[nodiscard]] std::variant<AnswerFrame, NoteFrame> decode_daemon_frame(std::string_view line);

// Decodes the result of a known method; R is one of the alternatives of Result. Throws invalid_request on a wrong shape.
template <class R>
[[nodiscard]] R decode_result(std::string_view json_text);

// `--json` of the command line is the wire's result, compact, one line without the newline.
[[nodiscard]] std::string to_json_text(const Result& result);
[[nodiscard]] std::string to_json_text(const Notification& note);

[[nodiscard]] std::string_view openrpc_document();            // proto/wtpool.openrpc.json, compiled in
[[nodiscard]] std::string rfc3339(std::int64_t utc_seconds);  // 2026-05-05T03:34:56Z

}  // namespace wtpool::proto
