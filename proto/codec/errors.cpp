// Errors on the wire: {"code","message","data":{...}}.
#include "proto/codec/tables.hpp"

namespace wtpool::proto {
namespace {

constexpr std::size_t kMaxTail = 4096;

Field<Error> kind_row() {
  FieldInfo info{.name = "kind", .required = true, .meaning = "what clients match on"};
  const auto read = [](const FieldInfo& self, const Json& value, Error& into) {
    // A kind that a newer daemon has and this table has not is known by its code, or is internal.
    if (const auto kind = kind_from_name(read_text(self, value))) into.kind = *kind;
  };
  return {info, read, [](const Error& from) -> Json { return std::string(proto::info(from.kind).name); },
          [](const Error&) { return false; }};
}

Field<Error> retryable_row() {
  FieldInfo info{.name = "retryable",
                 .type = FieldType::boolean,
                 .required = true,
                 .meaning = "the same request may succeed later, nobody changing anything"};
  return {info, [](const FieldInfo&, const Json&, Error&) {},
          [](const Error& from) -> Json { return proto::info(from.kind).retryable; }, [](const Error&) { return false; }};
}

ErrorKind kind_from_code(const Json& code) {
  for (const ErrorInfo& row : error_table()) {
    if (code == row.code) return row.kind;
  }
  return ErrorKind::internal;
}

}  // namespace

template <>
const std::vector<Field<GitDetails>>& fields<GitDetails>() {
  using R = GitDetails;
  static const std::vector<Field<R>> rows = [] {
    auto tail = always<&R::stderr_tail>("stderr_tail", "the end of what it said, 4 KiB at most");
    tail.write = [](const R& from) -> Json {
      return from.stderr_tail.substr(from.stderr_tail.size() - std::min(from.stderr_tail.size(), kMaxTail));
    };
    return std::vector<Field<R>>{always<&R::argv>("argv", "the command, program first"),
                                 always<&R::exit_code>("exit_code", "128+n when signal n ended it"), std::move(tail)};
  }();
  return rows;
}

template <>
const std::vector<Field<Error>>& fields<Error>() {
  using R = Error;
  static const std::vector<Field<R>> rows{kind_row(),
                                          optional<&R::hint>("hint", "the command that helps"),
                                          optional<&R::pool>("pool", "the pool's key"),
                                          optional<&R::slot>("slot", "the slot's id"),
                                          optional<&R::name>("name", "NAME as asked for"),
                                          optional<&R::holder>("holder", "who holds what was asked for"),
                                          retryable_row(),
                                          optional<&R::git>("git", "the git command that failed"),
                                          optional<&R::details>("details", "further lines for a person")};
  return rows;
}

Json write_error(const Error& error) {
  Json out = Json::object();
  out["code"] = info(error.kind).code;
  out["message"] = error.message;
  out["data"] = write_fields(error);
  return out;
}

Error read_error(const Json& value) {
  Error error;
  if (!value.is_object()) throw Error(ErrorKind::invalid_request, "`error` takes an object");
  const auto code = value.find("code");
  const auto message = value.find("message");
  const auto data = value.find("data");
  if (code == value.end() || !code->is_number_integer())
    throw Error(ErrorKind::invalid_request, "`error.code` takes an integer");
  error.kind = kind_from_code(*code);
  if (message != value.end() && message->is_string()) error.message = message->get<std::string>();
  if (data != value.end() && data->is_object()) read_fields(*data, error);
  return error;
}

}  // namespace wtpool::proto
