#include "client/cli/render.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/names.hpp"

namespace wtpool::client {
namespace {

constexpr std::size_t kShortOid = 10;

// Characters as a terminal counts them, near enough: UTF-8 bytes that start one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string cell(const std::optional<std::string>& text) { return text && !text->empty() ? printable(*text) : "-"; }

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

std::string state_cell(const proto::SlotInfo& slot) {
  const std::string state(proto::to_text(slot.state));
  return slot.state == proto::SlotState::idle && slot.sealed ? state + " (sealed)" : state;
}

void add_line(std::string& text, std::string_view key, const std::string& value) {
  text.append(key).append(": ").append(value).append("\n");
}

void add_line(std::string& text, std::string_view key, const std::optional<std::string>& value) {
  if (value && !value->empty()) add_line(text, key, printable(*value));
}

std::string states_of(const proto::PoolInfo& pool) {
  std::vector<std::string> parts;
  for (const auto& [state, count] : pool.slots) {
    if (count > 0) parts.push_back(std::to_string(count) + " " + printable(state));
  }
  return parts.empty() ? "-" : join(parts, ", ");
}

}  // namespace

std::string render_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string render_duration(std::int64_t seconds) {
  seconds = std::max<std::int64_t>(seconds, 0);
  const auto pair = [](std::int64_t big, const char* big_unit, std::int64_t small, const char* small_unit) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%lld%s%02lld%s", static_cast<long long>(big), big_unit,
                  static_cast<long long>(small), small_unit);
    return std::string(text.data());
  };
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86400) return pair(seconds / 3600, "h", seconds % 3600 / 60, "m");
  return pair(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string render_slots(const std::vector<proto::SlotInfo>& slots) {
  const auto any = [&slots](auto&& has) { return std::any_of(slots.begin(), slots.end(), has); };
  const bool pools = any([&slots](const auto& slot) { return slot.pool != slots.front().pool; });
  const bool git = any([](const auto& slot) { return slot.git.has_value(); });
  const bool reasons = any([](const auto& slot) { return slot.reason.has_value(); });

  std::vector<std::vector<std::string>> rows;
  auto& head = rows.emplace_back();
  if (pools) head.emplace_back("POOL");
  head.insert(head.end(), {"SLOT", "STATE", "NAME", "COMMIT", "HELD"});
  if (git) head.insert(head.end(), {"DIRTY", "UNTRACKED", "AHEAD", "BEHIND", "MERGED"});
  head.emplace_back("PATH");
  if (reasons) head.emplace_back("REASON");

  for (const proto::SlotInfo& slot : slots) {
    auto& row = rows.emplace_back();
    if (pools) row.push_back(cell(slot.pool));
    row.push_back(cell(slot.slot));
    row.push_back(state_cell(slot));
    row.push_back(cell(slot.name));
    row.push_back(slot.full_sha ? cell(slot.full_sha->substr(0, kShortOid)) : "-");
    row.push_back(slot.held_seconds ? render_duration(*slot.held_seconds) : "-");
    if (git) {
      row.push_back(slot.git ? std::to_string(slot.git->dirty) : "-");
      row.push_back(slot.git ? std::to_string(slot.git->untracked) : "-");
      row.push_back(slot.git ? std::to_string(slot.git->ahead) : "-");
      row.push_back(slot.git && slot.git->behind ? std::to_string(*slot.git->behind) : "-");
      row.push_back(slot.git && slot.git->merged ? std::string(proto::to_text(slot.git->merged->reason)) : "-");
    }
    row.push_back(cell(slot.path));
    if (reasons) row.push_back(cell(slot.reason));
  }
  return render_table(rows);
}

std::string render_slot(const proto::SlotInfo& slot) {
  std::string text;
  add_line(text, "pool", std::optional(slot.pool));
  add_line(text, "slot", std::optional(slot.slot));
  add_line(text, "group", slot.group);
  add_line(text, "path", std::optional(slot.path));
  add_line(text, "state", std::string(proto::to_text(slot.state)));
  add_line(text, "reason", slot.reason);
  add_line(text, "name", slot.name);
  add_line(text, "branch", slot.branch);
  add_line(text, "commit", slot.full_sha);
  if (slot.started_at) add_line(text, "since", rfc3339_utc(*slot.started_at));
  if (slot.held_seconds) add_line(text, "held", render_duration(*slot.held_seconds));
  add_line(text, "sealed", std::string(slot.sealed ? "yes" : "no"));
  if (slot.lease) {
    add_line(text, "lease", std::optional(slot.lease->id));
    add_line(text, "lease kind", std::string(proto::to_text(slot.lease->kind)));
    if (slot.lease->ttl_seconds) add_line(text, "ttl", render_duration(*slot.lease->ttl_seconds));
    if (slot.lease->expires_at) add_line(text, "expires", rfc3339_utc(*slot.lease->expires_at));
    if (slot.lease->owner_pid) add_line(text, "owner pid", std::to_string(*slot.lease->owner_pid));
  }
  if (slot.git) {
    add_line(text, "dirty files", std::to_string(slot.git->dirty));
    add_line(text, "untracked files", std::to_string(slot.git->untracked));
    add_line(text, "commits ahead", std::to_string(slot.git->ahead));
    if (slot.git->behind) add_line(text, "commits behind", std::to_string(*slot.git->behind));
    if (slot.git->merged) add_line(text, "merged", std::string(proto::to_text(slot.git->merged->reason)));
    add_line(text, "half done", slot.git->operation);
  }
  return text;
}

std::string render_sweep(const std::vector<proto::SweepRow>& rows, bool dry) {
  const bool pools = std::any_of(rows.begin(), rows.end(), [&rows](const auto& row) { return row.pool != rows.front().pool; });
  const auto number = [](const std::optional<std::int64_t>& value) {
    return value ? std::to_string(*value) : std::string("-");
  };
  std::vector<std::vector<std::string>> table;
  auto& head = table.emplace_back();
  if (pools) head.emplace_back("POOL");
  head.insert(head.end(), {"SLOT", "NAME", "CLASS", "AHEAD", "BEHIND", dry ? "WOULD" : "DID", "WHY"});
  for (const proto::SweepRow& row : rows) {
    auto& cells = table.emplace_back();
    if (pools) cells.push_back(cell(row.pool));
    cells.push_back(cell(row.slot));
    cells.push_back(cell(row.name));
    cells.emplace_back(proto::to_text(row.sweep_class));
    cells.push_back(number(row.ahead));
    cells.push_back(number(row.behind));
    const bool finished = row.sweep_class == proto::SweepClass::merged || row.sweep_class == proto::SweepClass::empty;
    cells.emplace_back(row.released || (dry && finished) ? "release" : "keep");
    cells.push_back(cell(row.reason));
  }
  return render_table(table);
}

std::string render_pools(const std::vector<proto::PoolInfo>& pools) {
  std::vector<std::vector<std::string>> rows = {{"POOL", "MAX", "GROUPS", "SLOTS", "SOURCE"}};
  for (const proto::PoolInfo& pool : pools) {
    rows.push_back({cell(pool.pool), std::to_string(pool.max_slots), cell(join(pool.groups, ",")),
                    pool.available ? states_of(pool) : "unavailable", cell(pool.source)});
  }
  return render_table(rows);
}

std::string render_trash(const std::vector<proto::TrashEntry>& entries) {
  const bool pools =
      std::any_of(entries.begin(), entries.end(), [&entries](const auto& entry) { return entry.pool != entries.front().pool; });
  std::vector<std::vector<std::string>> rows;
  auto& head = rows.emplace_back();
  if (pools) head.emplace_back("POOL");
  head.insert(head.end(), {"ID", "NAME", "SLOT", "KEPT", "FILES", "BYTES"});
  for (const proto::TrashEntry& entry : entries) {
    auto& row = rows.emplace_back();
    if (pools) row.push_back(cell(entry.pool));
    row.insert(row.end(), {cell(entry.id), cell(entry.name), cell(entry.slot), rfc3339_utc(entry.time),
                           std::to_string(entry.files), std::to_string(entry.bytes)});
  }
  return render_table(rows);
}

std::string render_templates(const std::vector<proto::TemplateInfo>& templates) {
  std::vector<std::vector<std::string>> rows = {{"POOL", "GROUP", "ID", "COMMIT", "MADE", "CREATE", "FILES", "BYTES", "STATE"}};
  for (const proto::TemplateInfo& one : templates) {
    rows.push_back({cell(one.pool), cell(one.group.value_or("-")), cell(one.id), cell(one.commit.substr(0, 12)),
                    rfc3339_utc(one.made_at), cell(one.create), std::to_string(one.files), std::to_string(one.bytes),
                    one.damaged ? "damaged" : "in use"});
  }
  return render_table(rows);
}

std::string render_status(const proto::StatusResult& status) {
  std::string text;
  add_line(text, "pid", std::to_string(status.pid));
  add_line(text, "version", std::optional(status.version));
  add_line(text, "socket", std::optional(status.socket));
  add_line(text, "root", std::optional(status.root));
  add_line(text, "up", render_duration(static_cast<std::int64_t>(status.uptime_seconds)));
  add_line(text, "clients", std::to_string(status.clients));
  add_line(text, "queued", std::to_string(status.queue));
  if (!status.pools.empty()) text += "\n" + render_pools(status.pools);
  return text;
}

std::string render_doctor(const proto::DoctorResult& doctor) {
  std::vector<std::vector<std::string>> rows = {{"CHECK", "STATUS", "DETAIL"}};
  std::string hints;
  for (const proto::DoctorCheck& check : doctor.checks) {
    rows.push_back({cell(check.name), cell(check.status), cell(check.detail)});
    if (!check.hint || check.hint->empty()) continue;
    const std::string hint = "hint: " + printable(*check.hint) + "\n";
    if (hints.find(hint) == std::string::npos) hints += hint;
  }
  return render_table(rows) + hints;
}

std::string render_error(const proto::Error& error) {
  // What failed and why: whatever says only the latter did so in answer to the very request.
  const bool whole = error.message.find(": ") != std::string::npos;
  std::string text = "wtpool: " + (whole ? "" : std::string("cannot go on: ")) + printable(error.message) + "\n";
  if (!error.hint.empty()) text += "hint: " + printable(error.hint) + "\n";
  for (const std::string& line : error.details) text += printable(line) + "\n";
  return text;
}

std::string render_progress(const proto::Progress& progress) {
  std::string text = progress.phase.empty() ? "waiting" : printable(progress.phase);
  if (progress.queue_position) text += ", place " + std::to_string(*progress.queue_position) + " in the queue";
  if (progress.percent) text += ", " + std::to_string(*progress.percent) + "%";
  if (progress.message && !progress.message->empty()) text += ": " + printable(*progress.message);
  return text;
}

}  // namespace wtpool::client
