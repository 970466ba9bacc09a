// Results and errors as text for people. Pure; every text of others is made printable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/errors.hpp"
#include "proto/messages.hpp"

namespace wtpool::client {

// Columns as wide as their widest cell, two blanks between, nothing after the last. An absent cell is "-".
[[nodiscard]] std::string render_table(const std::vector<std::vector<std::string>>& rows);

[[nodiscard]] std::string render_slots(const std::vector<proto::SlotInfo>& slots);  // columns that nobody fills are left out
[[nodiscard]] std::string render_slot(const proto::SlotInfo& slot);                 // a `key: value` line each
// `dry`: nothing was released, and what would have been is named.
[[nodiscard]] std::string render_sweep(const std::vector<proto::SweepRow>& rows, bool dry);
[[nodiscard]] std::string render_pools(const std::vector<proto::PoolInfo>& pools);
[[nodiscard]] std::string render_templates(const std::vector<proto::TemplateInfo>& templates);
[[nodiscard]] std::string render_trash(const std::vector<proto::TrashEntry>& entries);
[[nodiscard]] std::string render_store(const proto::StoreListResult& list);
[[nodiscard]] std::string render_store(const proto::StoreStatusResult& status);
[[nodiscard]] std::string render_store(const proto::StoreGcResult& collected);
[[nodiscard]] std::string render_status(const proto::StatusResult& status);
[[nodiscard]] std::string render_doctor(const proto::DoctorResult& doctor);

// wtpool: <what failed>: <why> / further lines / hint: <the command that helps>
[[nodiscard]] std::string render_error(const proto::Error& error);
// One line without newline: what a request waits for.
[[nodiscard]] std::string render_progress(const proto::Progress& progress);
[[nodiscard]] std::string render_duration(std::int64_t seconds);  // 12s, 5m, 2h03m, 3d04h

}  // namespace wtpool::client
