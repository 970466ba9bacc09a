// Both ends of the protocol: what a daemon may be sent and what a client may be answered.
#include "proto/codec/codec.hpp"
#include "proto/codec/splitter.hpp"
#include "tests/fuzz/targets.hpp"

namespace wtpool::fuzz {
namespace {

using namespace proto;

void is_one_line(const std::string& line) {
  holds(!line.empty() && line.find('\n') == std::string::npos, "what is encoded is one line");
}

Error error_of(const std::string& line) {
  const auto frame = decode_daemon_frame(line);
  return std::get<Error>(std::get<AnswerFrame>(frame).outcome);
}

// An error says something, and comes to the other end as it was said.
void can_be_answered(const WireId& id, const Error& error) {
  holds(!error.message.empty(), "an error has a message");
  const auto line = encode_answer(id, error);
  is_one_line(line);
  const auto back = error_of(line);
  holds(back.kind == error.kind && back.message == error.message && back.hint == error.hint,
        "an error decodes to what was encoded: " + line);
  holds(encode_answer(id, back) == line, "an error that was decoded encodes back: " + line);
}

void request_comes_back(const RequestFrame& frame) {
  holds(!std::holds_alternative<std::monostate>(frame.id), "a request has an id");
  holds(frame.method == method_of(frame.params), "a request's parameters are those of its method");
  const auto line = encode_request(frame.id, frame.params);
  is_one_line(line);
  const auto decoded = decode_client_frame(line);
  const auto* again = std::get_if<ClientFrame>(&decoded);
  holds(again != nullptr && std::holds_alternative<RequestFrame>(*again), "a request that was taken is taken again: " + line);
  const auto& same = std::get<RequestFrame>(*again);
  holds(same.id == frame.id && same.method == frame.method && encode_request(same.id, same.params) == line,
        "a request decodes to what was encoded: " + line);
}

void from_client(std::string_view line) {
  const auto decoded = decode_client_frame(line);
  if (const auto* bad = std::get_if<BadFrame>(&decoded)) {
    const auto kind = bad->error.kind;
    holds(kind == ErrorKind::parse_error || kind == ErrorKind::invalid_request || kind == ErrorKind::unknown_method ||
              kind == ErrorKind::invalid_params,
          "a bad frame is one of four kinds, not " + std::string(info(kind).name));
    if (kind == ErrorKind::invalid_params) {
      holds(bad->error.message.find('`') != std::string::npos, "bad parameters are named: " + bad->error.message);
    }
    return can_be_answered(bad->id, bad->error);
  }
  holds(!exceeds_limits(line), "a line beyond the limits is refused");
  const auto& frame = std::get<ClientFrame>(decoded);
  if (const auto* request = std::get_if<RequestFrame>(&frame)) return request_comes_back(*request);
  const auto& target = std::get<CancelFrame>(frame).target;
  const auto again = decode_client_frame(encode_cancel(target));
  holds(std::get<CancelFrame>(std::get<ClientFrame>(again)).target == target, "a cancel decodes to what was encoded");
}

template <class R>
void result_comes_back(std::string_view text) {
  R result;
  try {
    result = decode_result<R>(text);
  } catch (const Error& error) {
    holds(error.kind == ErrorKind::invalid_request && !error.message.empty(), "a wrong result is an invalid request");
    return;
  }
  const auto line = to_json_text(Result(result));
  is_one_line(line);
  holds(to_json_text(Result(decode_result<R>(line))) == line, "a result decodes to what was encoded: " + line);
}

// A client knows what it asked for; here the text is taken for one kind of result that its bytes decide, or for each of them in
// turn. To be refused fifteen times, by exceptions, is what would take most of a run's time.
template <class... R>
void results_come_back(std::variant<R...>*, std::string_view text) {
  const std::size_t chosen = number_of(text) % (16 * sizeof...(R));
  std::size_t kind = 0;
  ((chosen >= sizeof...(R) && chosen % sizeof...(R) != kind++ ? void() : result_comes_back<R>(text)), ...);
}

void from_daemon(std::string_view line) {
  std::variant<AnswerFrame, NoteFrame> decoded;
  try {
    decoded = decode_daemon_frame(line);
  } catch (const Error& error) {
    const auto kind = error.kind;
    holds(kind == ErrorKind::parse_error || kind == ErrorKind::invalid_request || kind == ErrorKind::unknown_method,
          "what a daemon cannot have said is one of three kinds, not " + std::string(info(kind).name));
    holds(!error.message.empty(), "an error has a message");
    return;
  }
  if (const auto* note = std::get_if<NoteFrame>(&decoded)) {
    const auto text = encode_notification(note->note);
    is_one_line(text);
    const auto again = decode_daemon_frame(text);
    holds(encode_notification(std::get<NoteFrame>(again).note) == text, "a notification decodes to what was encoded: " + text);
    return;
  }
  const auto& answer = std::get<AnswerFrame>(decoded);
  if (const auto* error = std::get_if<Error>(&answer.outcome)) {
    // What a newer daemon says is understood as far as this build knows it; from then on it stays the same.
    const auto known = encode_answer(answer.id, *error);
    is_one_line(known);
    holds(encode_answer(answer.id, error_of(known)) == known, "an error that was decoded encodes back: " + known);
    return;
  }
  results_come_back(static_cast<Result*>(nullptr), std::get<std::string>(answer.outcome));
}

}  // namespace

void decoder(std::string_view input) {
  from_client(input);
  from_daemon(input);
}

}  // namespace wtpool::fuzz
