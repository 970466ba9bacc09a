#include "proto/codec/client_json.hpp"

#include "proto/codec/tables.hpp"

namespace wtpool::proto {

// {"error":{"kind","message","hint","retryable","exit_code", then what the error names}}
std::string to_json_text(const Error& error) {
  Json inner = Json::object();
  inner["kind"] = std::string(info(error.kind).name);
  inner["message"] = error.message;
  inner["hint"] = error.hint.empty() ? Json(nullptr) : Json(error.hint);
  inner["retryable"] = info(error.kind).retryable;
  inner["exit_code"] = info(error.kind).exit_code;
  const Json named = write_fields(error);
  for (const char* key : {"pool", "slot", "name", "holder", "git", "details"}) {
    if (named.contains(key)) inner[key] = named[key];
  }
  Json out = Json::object();
  out["error"] = std::move(inner);
  return dump(out);
}

std::string to_json_text(const RunStats& stats) {
  Json out = Json::object();
  out["pool"] = stats.pool;
  out["slot"] = stats.slot;
  out["name"] = stats.name;
  out["full_sha"] = stats.full_sha;
  out["fresh"] = stats.fresh;
  out["reused_commit"] = stats.reused_commit;
  out["waited_seconds"] = stats.waited_seconds;
  out["acquire_seconds"] = stats.acquire_seconds;
  out["run_seconds"] = stats.run_seconds;
  out["exit_code"] = stats.exit_code;
  return dump(out);
}

std::string to_json_text(const LogLine& line) {
  Json out = Json::object();
  out["time"] = line.time;
  out["level"] = line.level;
  out["message"] = line.message;
  return dump(out);
}

}  // namespace wtpool::proto
