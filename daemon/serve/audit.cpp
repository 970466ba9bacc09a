#include "daemon/serve/audit.hpp"

#include "common/base/log.hpp"
#include "common/platform/process.hpp"
#include "proto/codec/codec.hpp"

namespace wtpool::serve {
namespace {

template <class P>
std::string what_of(const P& params) {
  std::string words;
  if constexpr (requires { params.scope.pool; }) words += word("pool", params.scope.pool.value_or(""));
  if constexpr (requires { params.target.target; }) {
    words += word("of", params.target.target.value_or(""));
    words += word("slot", params.target.slot.value_or(""));
    words += word("name", params.target.name.value_or(""));
    words += word("lease", params.target.lease_id.value_or(""));
  }
  if constexpr (requires { std::string(params.name); }) words += word("name", params.name);
  if constexpr (requires { std::string(params.slot); }) words += word("slot", params.slot);
  if constexpr (requires { std::string(params.pool); }) words += word("pool", params.pool);
  if constexpr (requires { std::string(params.id); }) words += word("trash", params.id);
  if constexpr (requires { std::string(params.lease_id); }) words += word("lease", params.lease_id);
  if constexpr (requires { params.commit->empty(); }) words += word("commit", params.commit.value_or(""));
  return words;
}

template <class P>
constexpr bool kReport = std::is_same_v<P, proto::HelloParams> || std::is_same_v<P, proto::ConfirmParams> ||
                         std::is_same_v<P, proto::PingParams> || std::is_same_v<P, proto::DiscoverParams> ||
                         std::is_same_v<P, proto::PoolListParams> || std::is_same_v<P, proto::SlotListParams> ||
                         std::is_same_v<P, proto::SlotInspectParams> || std::is_same_v<P, proto::SlotPathParams> ||
                         std::is_same_v<P, proto::TrashListParams> || std::is_same_v<P, proto::SubscribeParams> ||
                         std::is_same_v<P, proto::HostStatusParams> || std::is_same_v<P, proto::HostDoctorParams> ||
                         std::is_same_v<P, proto::StoreHasParams> || std::is_same_v<P, proto::StoreListParams> ||
                         std::is_same_v<P, proto::StoreStatusParams> || std::is_same_v<P, proto::StorePathParams> ||
                         std::is_same_v<P, proto::LocateParams> || std::is_same_v<P, proto::TemplateListParams>;

std::string came_of(const proto::AcquireResult& result) {
  return word("pool", result.pool) + word("slot", result.slot) + word("name", result.name) + word("lease", result.lease_id) +
         word("commit", result.full_sha) +
         word("way", result.fresh           ? result.creation ? result.creation->created.value_or("fresh") : "fresh"
                     : result.reused_commit ? "same-commit"
                                            : "warm");
}
std::string came_of(const proto::ReleaseResult& result) {
  return word("slot", result.slot.value_or("")) + word("already", result.already ? "true" : "") +
         word("trash", result.trash_id.value_or(""));
}
std::string came_of(const proto::LandResult& result) {
  return word("pool", result.pool) + word("target", result.target) + word("after", result.after) +
         word("tested", result.tested ? "true" : "") + word("pushed", result.pushed ? "true" : "");
}
std::string came_of(const proto::TrashRestoreResult& result) { return word("branch", result.branch); }
template <class R>
std::string came_of(const R&) {
  return {};
}

std::string who(const Asked& asked, const Asker& asker) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - asked.since);
  std::string words = word("ms", std::to_string(took.count()));
  if (asker.pid) words += word("pid", std::to_string(*asker.pid)) + word("program", platform::program_of(*asker.pid));
  return words + word("client", asker.client == "-" ? "" : asker.client);
}

}  // namespace

std::string word(std::string_view key, std::string_view value) {
  if (value.empty()) return {};
  std::string out = " ";
  out.append(key).append("=");
  if (value.find_first_of(" \"\\=\n\t") == std::string_view::npos) return out.append(value);
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' || c == '\t' ? ' ' : c;
  }
  return out += '"';
}

Asked asked_for(const proto::Params& params) {
  Asked asked;
  asked.method = proto::method_of(params);
  std::visit(
      [&asked](const auto& one) {
        asked.what = what_of(one);
        asked.changes = !kReport<std::decay_t<decltype(one)>>;
      },
      params);
  return asked;
}

void audit(const Asked& asked, const Asker& asker, const proto::Result& result) {
  if (!asked.changes || !logs(LogLevel::info)) return;
  std::string came = std::visit([](const auto& one) { return came_of(one); }, result);
  // What an acquire came to says all that was asked for.
  const bool whole = std::holds_alternative<proto::AcquireResult>(result);
  log_info(asked.method + (whole ? std::string{} : asked.what) + came + who(asked, asker));
}

void audit(const Asked& asked, const Asker& asker, const proto::Error& error) {
  if (!logs(LogLevel::info)) return;
  std::string line = asked.method + " refused" + asked.what + word("in", error.pool) + word("slot", error.slot) +
                     word("kind", proto::info(error.kind).name) +
                     word("exit", std::to_string(proto::info(error.kind).exit_code)) + who(asked, asker) +
                     word("why", error.message);
  log_info(line);
}

void audit(const proto::EventNote& event) {
  // The answer to the acquire says more of it; a seal comes and goes with every look at the tree.
  const bool quiet = event.type == "acquired" || event.type == "sealed" || event.type == "unsealed";
  if (!logs(quiet ? LogLevel::debug : LogLevel::info)) return;
  log(quiet ? LogLevel::debug : LogLevel::info,
      event.type + word("pool", event.pool) + word("slot", event.slot.value_or("")) + word("name", event.name.value_or("")) +
          word("lease", event.lease_id.value_or("")) + word("what", event.message.value_or("")));
}

}  // namespace wtpool::serve
