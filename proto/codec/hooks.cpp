// Tables of what hooks.get carries.
#include "proto/codec/client_json.hpp"
#include "proto/codec/tables.hpp"

namespace wtpool::proto {

template <class T>
using Rows = std::vector<Field<T>>;

template <>
const Rows<HooksGetParams>& fields<HooksGetParams>() {
  using P = HooksGetParams;
  static const Rows<P> rows{
      optional<&P::scope, &Scope::pool>("pool", "the pool's key; else cwd tells, else there is only one pool"),
      optional<&P::scope, &Scope::cwd>("cwd", "the caller's directory, absolute: tells the pool and the slot it is in"),
      optional<&P::target, &Target::target>("target", "NAME or SLOT, as a person typed it"),
      optional<&P::target, &Target::name>("name", "the NAME that the slot was acquired as"),
      optional<&P::target, &Target::slot>("slot", "the slot's id"),
      optional<&P::target, &Target::lease_id>("lease_id", "the lease that holds the slot"),
      optional<&P::commit>("commit", "the full id to read them at; default: HEAD of the slot, else the pool's default_commit")};
  return rows;
}

template <>
const Rows<HookInfo>& fields<HookInfo>() {
  using R = HookInfo;
  static const Rows<R> rows = [] {
    Rows<R> out{always<&R::event>("event", "when it runs"),
                always<&R::from>("from", "the pool's config, or the repository, whose hooks run once they are approved"),
                always<&R::command>("command", "for the shell"),
                always<&R::shell>("shell", "the program that runs it"),
                always<&R::programs>("programs", "files of the repository that it starts, from the top directory"),
                always<&R::problem>("problem", "why it cannot be approved; else null")};
    out[0].info.type = FieldType::choice;
    out[0].info.choices = {"post_acquire", "pre_go", "pre_release", "pre_land", "post_land"};
    out[1].info.type = FieldType::choice;
    out[1].info.choices = {"pool", "repository"};
    out[3].info.type = FieldType::choice;
    out[3].info.choices = {"sh", "bash"};
    return out;
  }();
  return rows;
}

template <>
const Rows<HookFile>& fields<HookFile>() {
  using R = HookFile;
  static const Rows<R> rows{always<&R::path>("path", "from the top directory"),
                            always<&R::hex>("hex", "its bytes at the commit, two digits each")};
  return rows;
}

template <>
const Rows<HooksResult>& fields<HooksResult>() {
  using R = HooksResult;
  static const Rows<R> rows{always<&R::source>("source", "what an approval is of: the URL of a mirror, else the git directory"),
                            always<&R::commit>("commit", "the commit that was looked at"),
                            always<&R::hooks>("hooks", "in the order in which they run"),
                            always<&R::files>("files", "what an approval covers, byte for byte"),
                            always<&R::problem>("problem", "why those of the repository cannot be read; else null"),
                            always<&R::timeout_seconds>("timeout_seconds", "how long each may take"),
                            always<&R::held>("held", "the slot, when it is held; else null")};
  return rows;
}

std::string to_json_text(const std::vector<HookRow>& rows) {
  Json out = Json::array();
  for (const HookRow& row : rows) {
    Json one = Json::object();
    one["event"] = row.event;
    one["from"] = row.from;
    one["command"] = row.command;
    one["may_run"] = row.may_run;
    out.push_back(std::move(one));
  }
  return dump(out);
}

}  // namespace wtpool::proto
