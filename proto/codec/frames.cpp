// Whole lines: the envelope of JSON-RPC 2.0 around params, results, errors and notifications.
#include "proto/codec/splitter.hpp"
#include "proto/codec/tables.hpp"

namespace wtpool::proto {
namespace {

Json id_to_json(const WireId& id) {
  if (const auto* number = std::get_if<std::int64_t>(&id)) return *number;
  if (const auto* text = std::get_if<std::string>(&id)) return *text;
  return nullptr;
}

// Nothing when the value is no id at all; monostate for null.
std::optional<WireId> id_from_json(const Json& value) {
  if (value.is_null()) return WireId{};
  if (value.is_string()) return WireId{value.get<std::string>()};
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>())) return std::nullopt;
  return WireId{value.get<std::int64_t>()};
}

const Json& member(const Json& object, const char* key) {
  static const Json kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

Json parse_object(std::string_view line) {
  if (const auto excess = exceeds_limits(line)) {
    throw Error(ErrorKind::invalid_request, "the line is beyond the limits: " + *excess);
  }
  Json frame = Json::parse(line, nullptr, false);
  if (frame.is_discarded()) throw Error(ErrorKind::parse_error, "the line is not JSON in UTF-8");
  if (frame.is_array()) throw Error(ErrorKind::invalid_request, "batches are not taken: send one request a line");
  if (!frame.is_object()) throw Error(ErrorKind::invalid_request, "a request is a JSON object");
  return frame;
}

void check_version(const Json& frame) {
  if (member(frame, "jsonrpc") != "2.0") throw Error(ErrorKind::invalid_request, "`jsonrpc` takes \"2.0\"");
}

ClientFrame read_client_frame(const Json& frame, const WireId& id) {
  check_version(frame);
  const Json& method = member(frame, "method");
  if (!method.is_string()) throw Error(ErrorKind::invalid_request, "`method` takes a string");
  const auto& name = method.get_ref<const std::string&>();
  const bool has_id = !std::holds_alternative<std::monostate>(id);
  const Json& params = member(frame, "params");
  if (name != kCancelMethod) {
    if (!has_id) throw Error(ErrorKind::invalid_request, "`id` takes an integer or a string: every request has one");
    return RequestFrame{id, name, read_params(name, params)};
  }
  if (has_id) throw Error(ErrorKind::invalid_request, "`$/cancel` is a notification: it has no `id` of its own");
  const auto target = params.is_object() ? id_from_json(member(params, "id")) : std::nullopt;
  if (!target || std::holds_alternative<std::monostate>(*target)) {
    throw Error(ErrorKind::invalid_params, "`id` takes the integer or the string of the request to cancel");
  }
  return CancelFrame{*target};
}

Json envelope() {
  Json out = Json::object();
  out["jsonrpc"] = "2.0";
  return out;
}

Json answer(const WireId& id) {
  Json out = envelope();
  out["id"] = id_to_json(id);
  return out;
}

// Whatever a daemon sends in a wrong shape is no fault of the client's params.
[[noreturn]] void throw_wrong_shape(Error error) {
  if (error.kind == ErrorKind::invalid_params) error.kind = ErrorKind::invalid_request;
  error.message = "the daemon's line is not understood: " + error.message;
  throw error;
}

std::variant<AnswerFrame, NoteFrame> read_daemon_frame(const Json& frame) {
  check_version(frame);
  const Json& method = member(frame, "method");
  if (method.is_string()) return NoteFrame{read_notification(method.get<std::string>(), member(frame, "params"))};
  const auto id = id_from_json(member(frame, "id"));
  if (!id) throw Error(ErrorKind::invalid_request, "`id` takes an integer, a string or null");
  const auto error = frame.find("error");
  const auto result = frame.find("result");
  if ((error == frame.end()) == (result == frame.end())) {
    throw Error(ErrorKind::invalid_request, "an answer has either `result` or `error`");
  }
  AnswerFrame answer{*id, std::string()};
  if (error != frame.end()) {
    answer.outcome = read_error(*error);
  } else {
    answer.outcome = dump(*result);
  }
  return answer;
}

}  // namespace

std::variant<ClientFrame, BadFrame> decode_client_frame(std::string_view line) {
  WireId id;
  try {
    const Json frame = parse_object(line);
    auto found = id_from_json(member(frame, "id"));
    if (!found) throw Error(ErrorKind::invalid_request, "`id` takes an integer or a string");
    id = std::move(*found);
    return read_client_frame(frame, id);
  } catch (Error& error) {
    return BadFrame{std::move(id), std::move(error)};
  }
}

std::variant<AnswerFrame, NoteFrame> decode_daemon_frame(std::string_view line) {
  try {
    return read_daemon_frame(parse_object(line));
  } catch (Error& error) {
    throw_wrong_shape(std::move(error));
  }
}

std::string encode_answer(const WireId& id, const Result& result) {
  Json out = answer(id);
  out["result"] = write_result(result);
  return dump(out);
}

std::string encode_answer(const WireId& id, const Error& error) {
  Json out = answer(id);
  out["error"] = write_error(error);
  return dump(out);
}

std::string encode_notification(const Notification& note) {
  auto [method, params] = write_notification(note);
  Json out = envelope();
  out["method"] = std::string(method);
  out["params"] = std::move(params);
  return dump(out);
}

std::string encode_request(const WireId& id, const Params& params) {
  Json out = answer(id);
  out["method"] = std::string(method_of(params));
  if (Json some = write_params(params); !some.empty()) out["params"] = std::move(some);
  return dump(out);
}

std::string encode_cancel(const WireId& target) {
  Json out = envelope();
  out["method"] = std::string(kCancelMethod);
  out["params"] = Json::object();
  out["params"]["id"] = id_to_json(target);
  return dump(out);
}

std::string to_json_text(const Result& result) { return dump(write_result(result)); }

std::string to_json_text(const Notification& note) { return dump(write_notification(note).second); }

}  // namespace wtpool::proto
