// What the store answers, as text for people.
#include "client/cli/render.hpp"
#include "common/base/clock.hpp"
#include "common/base/names.hpp"

namespace wtpool::client {

std::string render_store(const proto::StoreListResult& list) {
  std::vector<std::vector<std::string>> rows{{"KEY", "FILES", "BYTES", "USED", "ROOTS"}};
  for (const proto::StoreEntryInfo& entry : list.entries) {
    rows.push_back({printable(entry.key), std::to_string(entry.files), std::to_string(entry.bytes), rfc3339_utc(entry.used_at),
                    std::to_string(entry.roots)});
  }
  return render_table(rows);
}

std::string render_store(const proto::StoreStatusResult& status) {
  std::vector<std::vector<std::string>> rows{{"KEY", "MODE", "STATE", "PATH", "LINK"}};
  std::string drift;
  for (const proto::StoreGraftInfo& graft : status.entries) {
    std::vector<std::string> row{printable(graft.key), graft.mode, graft.state};
    for (const proto::StoreLinkInfo& link : graft.links) {
      row.insert(row.end(), {printable(link.path), link.state});
      rows.push_back(row);
      row = {"", "", ""};
    }
    if (graft.links.empty()) rows.push_back({row[0], row[1], row[2], "", ""});
    if (graft.drift) drift += "drift: " + printable(graft.key) + " is placed, HEAD asks for " + printable(*graft.drift) + "\n";
  }
  return render_table(rows) + drift;
}

std::string render_store(const proto::StoreGcResult& collected) {
  std::string text;
  for (const std::string& key : collected.removed) text += "removed " + printable(key) + "\n";
  for (const proto::StoreKeptInfo& kept : collected.kept) text += "kept " + printable(kept.key) + ": " + kept.why + "\n";
  return text + std::to_string(collected.bytes) + " bytes\n";
}

}  // namespace wtpool::client
