#include "tests/faults/power/judge.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/disk/marker.hpp"
#include "tests/support/repo.hpp"

namespace wtpool::test::power {
namespace {

using nlohmann::json;

bool is_oid(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Ids that a tree's raw bytes or a commit's header lead to. Submodules lead nowhere.
std::vector<std::string> links_of(const std::string& type, const std::string& content) {
  std::vector<std::string> links;
  if (type == "commit") {
    for (const auto& line : lines_of(content)) {
      if (line.empty()) break;
      const auto space = line.find(' ');
      const auto key = line.substr(0, space);
      if (key == "tree" || key == "parent") links.push_back(line.substr(space + 1, 40));
    }
  } else if (type == "tree") {
    for (std::size_t at = 0; at < content.size();) {
      const auto end = content.find('\0', at);
      const bool submodule = content.compare(at, 6, "160000") == 0;
      static constexpr char kHex[] = "0123456789abcdef";
      std::string oid;
      for (std::size_t i = end + 1; i < end + 21; ++i) {
        oid += kHex[static_cast<unsigned char>(content.at(i)) >> 4];
        oid += kHex[static_cast<unsigned char>(content.at(i)) & 15];
      }
      if (!submodule) links.push_back(oid);
      at = end + 21;
    }
  }
  return links;
}

void take_refs(const Tree& disk, const Node& directory, std::vector<std::string>& values) {
  for (const auto& [name, inode] : directory.entries) {
    const Node& node = disk.nodes[inode];
    if (node.kind == Node::Kind::directory) take_refs(disk, node, values);
    if (node.kind == Node::Kind::file && !name.ends_with(".lock") && node.data.size() == 41 && is_oid(node.data.substr(0, 40)))
      values.push_back(node.data.substr(0, 40));
  }
}

// Files that were too large for git, or in the way, are kept below .meta/trash/<ID>/ under their own paths.
bool set_aside(const Tree& disk, const fs::path& slot, const Lease::File& file) {
  const fs::path trash = slot.parent_path() / ".meta/trash";
  const Node* const ids = disk.find(trash);
  if (ids == nullptr) return false;
  for (const auto& [id, inode] : ids->entries) {
    const Node* const kept = disk.find(trash / id / file.path);
    if (kept != nullptr && kept->data == file.text) return true;
  }
  return false;
}

std::string blob_of(const fs::path& source, const std::string& text) { return git(source, {"hash-object", "--stdin"}, text); }

}  // namespace

Judge::Judge(const Recording& recording, const fs::path& source) {
  read_objects(source);
  read_story(recording);
  read_indexes(recording);
  for (auto& lease : leases_)
    for (auto& file : lease.files) file.blob = blob_of(source, file.text);
}

void Judge::read_objects(const fs::path& source) {
  const auto all = try_git(source, {"cat-file", "--batch-all-objects", "--batch"});
  if (all.code != 0) throw std::runtime_error("the story left a repository that git cannot read: " + all.err);
  for (std::size_t at = 0; at < all.out.size();) {
    const auto end = all.out.find('\n', at);
    const std::string header = all.out.substr(at, end - at);  // <oid> <type> <size>
    const auto space = header.find(' ', 41);
    const auto size = static_cast<std::size_t>(std::stoul(header.substr(space + 1)));
    const std::string oid = header.substr(0, 40);
    Object object;
    object.bytes = read_text(source / ".git/objects" / oid.substr(0, 2) / oid.substr(2));
    if (object.bytes.empty()) throw std::runtime_error("object " + oid + " is not loose");
    object.leads_to = links_of(header.substr(41, space - 41), all.out.substr(end + 1, size));
    objects_[oid] = std::move(object);
    at = end + 1 + size + 1;
  }
}

void Judge::read_story(const Recording& recording) {
  std::map<std::string, std::size_t> number;
  const auto lease_of = [&](const json& line) -> Lease& {
    const auto label = line.value("lease", "");
    const auto [found, added] = number.try_emplace(label, leases_.size());
    if (added) leases_.emplace_back().label = label;
    return leases_[found->second];
  };
  std::optional<std::size_t>* awaited = nullptr;
  std::optional<std::size_t> nobody;
  const auto relative = [&](const std::string& path) { return fs::path(path).lexically_relative(recording.directory); };
  for (std::size_t at = 0; at < recording.effects.size(); ++at) {
    const Effect& effect = recording.effects[at];
    if (effect.kind == Effect::Kind::answered && awaited) {
      *awaited = at + 1;
      awaited = nullptr;
    }
    if (effect.kind != Effect::Kind::said) continue;
    for (const auto& text : lines_of(effect.bytes)) {
      const auto line = json::parse(text);
      const auto said = line["said"].get<std::string>();
      if (said == "asks") {
        const auto kind = line["kind"].get<std::string>();
        asks_.emplace_back(at, kind + " " + line.value("lease", ""));
        awaited = &nobody;
        // Leases of a story are a handful, and made before any is pointed at.
        leases_.reserve(64);
        if (kind == "acquire") {
          lease_of(line).asked = at;
          awaited = &lease_of(line).got;
        } else if (kind == "release") {
          lease_of(line).leaving = at;
          awaited = &lease_of(line).left;
        }
      } else if (said == "got") {
        Lease& lease = lease_of(line);
        lease.name = line["answer"]["name"];
        lease.lease_id = line["answer"]["lease_id"];
        lease.slot = line["answer"]["slot"];
        lease.path = relative(line["answer"]["path"]);
        lease.entry = relative(line["entry"]);
      } else if (said == "touches") {
        if (Lease& lease = lease_of(line); !lease.touched) lease.touched = at;
      } else if (said == "idle") {
        lease_of(line).idle = at;
      } else if (said == "writes") {
        for (auto& file : lease_of(line).files)
          if (file.path == line["file"] && file.until == SIZE_MAX) file.until = at;
      } else if (said == "wrote") {
        lease_of(line).files.push_back({at, SIZE_MAX, line["file"], line["text"], {}});
      } else if (said == "committed") {
        lease_of(line).commits.emplace_back(at, line["commit"]);
      } else if (said == "keeps") {
        always_ = line["commits"].get<std::vector<std::string>>();
      } else if (said == "end") {
        end_ = at;
      }
    }
  }
  if (end_ == 0) throw std::runtime_error("the story did not come to its end");
}

void Judge::read_indexes(const Recording& recording) {
  Tree disk = recording.base;
  for (const Effect& effect : recording.effects) {
    apply(disk, effect);
    if (effect.kind == Effect::Kind::rename && effect.new_name == "index") indexes_.insert(disk.nodes[effect.inode].data);
  }
}

bool Judge::whole(const Tree& disk, const std::string& oid) const {
  const auto known = objects_.find(oid);
  if (known == objects_.end()) return false;
  const Node* const file = disk.find(repository_ / "objects" / oid.substr(0, 2) / oid.substr(2));
  return file != nullptr && file->data == known->second.bytes;
}

std::map<std::string, bool> Judge::reached(const Tree& disk) const {
  std::vector<std::string> open;
  if (const Node* const refs = disk.find(repository_ / "refs")) take_refs(disk, *refs, open);
  if (const Node* const packed = disk.find(repository_ / "packed-refs")) {
    for (const auto& line : lines_of(packed->data))
      if (line.size() > 41 && is_oid(line.substr(0, 40))) open.push_back(line.substr(0, 40));
  }
  if (const Node* const entries = disk.find(repository_ / "worktrees")) {
    for (const auto& [name, inode] : entries->entries) {
      const Node* const head = disk.find(repository_ / "worktrees" / name / "HEAD");
      if (head != nullptr && is_oid(trimmed(head->data))) open.push_back(trimmed(head->data));
    }
  }
  std::map<std::string, bool> reached;
  while (!open.empty()) {
    const std::string oid = std::move(open.back());
    open.pop_back();
    const auto [place, added] = reached.try_emplace(oid, false);
    if (!added || !whole(disk, oid)) continue;
    place->second = true;
    const auto& links = objects_.at(oid).leads_to;
    open.insert(open.end(), links.begin(), links.end());
  }
  return reached;
}

std::string Judge::missing_below(const std::map<std::string, bool>& reached, const std::string& commit) const {
  std::vector<std::string> open{commit};
  std::map<std::string, bool> seen;
  while (!open.empty()) {
    const std::string oid = std::move(open.back());
    open.pop_back();
    if (!seen.try_emplace(oid, true).second) continue;
    const auto found = reached.find(oid);
    if (found == reached.end()) return oid + " is behind no ref";
    if (!found->second) return oid + " is not whole";
    const auto& links = objects_.at(oid).leads_to;
    open.insert(open.end(), links.begin(), links.end());
  }
  return {};
}

void Judge::judge_marker(const Tree& disk, const Lease& lease, std::size_t moment, std::vector<std::string>& wrong) {
  const auto before = [&](const std::optional<std::size_t>& when) { return when && *when <= moment; };
  const Node* const file = disk.find(lease.entry / "worktree-pool/lock");
  std::optional<core::Marker> marker;
  if (file != nullptr) {
    const auto read = disk::parse_marker(file->data);
    if (const auto* why = std::get_if<std::string>(&read)) {
      wrong.push_back("the marker of " + lease.label + " cannot be read: " + *why);
      return;
    }
    marker = std::get<core::Marker>(read);
  }
  const bool mine = marker && marker->lease.id.str() == lease.lease_id;
  const auto held = [&] { return mine && marker->state == core::MarkerState::held && marker->lease.name == lease.name; };
  const auto releasing = [&] { return mine && marker->state == core::MarkerState::releasing; };
  if (before(lease.got) && !before(lease.leaving)) {
    if (!held())
      wrong.push_back("lease " + lease.label + " was answered, and its marker " + (marker ? "is another" : "is gone"));
  } else if (before(lease.leaving) && !before(lease.left)) {
    // An answer is sent a moment after its fact is durable; and a release that waits is through with its slot by then.
    if (marker && !held() && !releasing()) wrong.push_back("the marker of " + lease.label + ", being released, is another");
  }
}

void Judge::judge_head(const Tree& disk, const Lease& lease, std::size_t moment, std::vector<std::string>& wrong) {
  const auto before = [&](const std::optional<std::size_t>& when) { return when && *when <= moment; };
  if (!before(lease.got) || before(lease.touched) || before(lease.leaving)) return;
  const Node* const head = disk.find(lease.entry / "HEAD");
  // A damaged one is put back by the daemon, to where the marker says.
  const bool damaged = head != nullptr && (!head->data.ends_with('\n') || head->data.find('\0') != std::string::npos);
  if (!damaged && (head == nullptr || head->data != "ref: refs/heads/" + lease.name + "\n"))
    wrong.push_back("lease " + lease.label + " was answered, and its HEAD is not on its branch");
}

// Of a slot that its holder's git has not written in: no file of it may be less safe than the lease.
void Judge::judge_index(const Tree& disk, const Lease& lease, std::size_t moment, std::vector<std::string>& wrong) const {
  const auto before = [&](const std::optional<std::size_t>& when) { return when && *when <= moment; };
  if (!before(lease.got) || before(lease.touched) || before(lease.leaving)) return;
  const Node* const index = disk.find(lease.entry / "index");
  if (index == nullptr || !indexes_.contains(index->data))
    wrong.push_back("lease " + lease.label + " was answered, and its index is " + (index == nullptr ? "gone" : "damaged"));
}

void Judge::judge_work(const Tree& disk, const Lease& lease, std::size_t moment, const std::map<std::string, bool>& reached,
                       std::vector<std::string>& wrong) const {
  if (lease.left && *lease.left <= moment) {
    for (const auto& [when, commit] : lease.commits)
      if (const auto missing = missing_below(reached, commit); !missing.empty())
        wrong.push_back("commit " + commit + " of " + lease.label + ", released: " + missing);
  }
  for (const auto& file : lease.files) {
    if (moment <= file.since || moment > file.until) continue;
    const Node* const there = disk.find(lease.path / file.path);
    if (there != nullptr && there->data == file.text) continue;
    const auto kept = reached.find(file.blob);
    if ((kept != reached.end() && kept->second) || set_aside(disk, lease.path, file)) continue;
    wrong.push_back(file.path + " of " + lease.label + " is neither in its place nor kept" +
                    (kept == reached.end() ? "" : ": its object " + file.blob + " is not whole"));
  }
}

std::vector<std::string> Judge::violations(const Tree& disk, std::size_t moment, Law law) const {
  std::vector<std::string> wrong;
  for (const Lease& lease : leases_)
    if (lease.asked && !lease.entry.empty()) judge_marker(disk, lease, moment, wrong);
  if (law == Law::loose) return wrong;
  const auto reached_now = reached(disk);
  for (const auto& commit : always_)
    if (const auto missing = missing_below(reached_now, commit); !missing.empty())
      wrong.push_back("commit " + commit + " of the source: " + missing);
  for (const Lease& lease : leases_) {
    if (!lease.asked || lease.entry.empty()) continue;
    judge_head(disk, lease, moment, wrong);
    judge_index(disk, lease, moment, wrong);
    judge_work(disk, lease, moment, reached_now, wrong);
  }
  return wrong;
}

std::vector<std::string> Judge::kept_at(std::size_t moment) const {
  std::vector<std::string> kept = always_;
  for (const Lease& lease : leases_) {
    if (!lease.left || *lease.left > moment) continue;
    for (const auto& [when, commit] : lease.commits) kept.push_back(commit);
  }
  return kept;
}

std::size_t Judge::pick_moment(std::mt19937& chance) const {
  const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end)(chance); };
  if (below(2) != 0) return below(end_);
  const Lease& lease = leases_[below(leases_.size() - 1)];
  const auto turns = {lease.got, lease.leaving, lease.left, lease.idle};
  const auto turn = *(turns.begin() + below(turns.size() - 1));
  return turn ? std::min(end_, *turn + below(4)) : below(end_);
}

std::string Judge::scene(std::size_t moment) const {
  std::string last = "the start";
  for (const auto& [when, what] : asks_)
    if (when < moment) last = what;
  return "moment " + std::to_string(moment) + ", after: " + last;
}

}  // namespace wtpool::test::power
