#include "daemon/jobs/tasks/hooks.hpp"

#include <algorithm>
#include <map>

#include "daemon/disk/hook_file.hpp"
#include "daemon/git/files/entry.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/refs.hpp"

namespace wtpool::jobs {
namespace {

constexpr std::size_t kLongestFile = std::size_t{256} << 10;
constexpr std::size_t kMostFiles = 64;

std::string hex_of(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

struct TreeFile {
  std::string mode;
  std::string id;
};

class Reading {
 public:
  Reading(const git::Git& source, Oid commit, proto::HooksResult& result)
      : source_(source), commit_(std::move(commit)), result_(result) {}

  void read() {
    // Most commits have neither: a question to a git that runs already says so.
    const auto ids = git::ids_of(source_, {commit_.str() + ":" + disk::kHookFile, commit_.str() + ":" + disk::kHookScript});
    if (!ids[0] && !ids[1]) return;
    const auto files = files_of({disk::kHookFile, disk::kHookScript});
    const auto yaml = ids[0] ? cover(disk::kHookFile, files) : std::nullopt;
    const auto script = ids[1] ? cover(disk::kHookScript, files) : std::nullopt;
    if (yaml) add(disk::parse_hook_file(*yaml), "sh");
    if (script) add(disk::parse_hook_script(*script), "bash");
  }

 private:
  // Below the top of the commit's tree; what is no file of it is not among them.
  std::map<std::string, TreeFile> files_of(const std::vector<std::string>& paths) const {
    std::map<std::string, TreeFile> files;
    git::Command list;
    list.arguments = {"ls-tree", "-z", "--full-tree", commit_.str(), "--"};
    for (const auto& path : paths) {
      if (path != "." && !path.starts_with("..") && !path.starts_with('/')) list.arguments.push_back(path);
    }
    if (list.arguments.back() == "--") return files;
    for (const auto& line : git::split(source_.must(list), '\0')) {
      const auto tab = line.find('\t');
      if (tab == std::string::npos) continue;
      const auto fields = git::split(line.substr(0, tab), ' ');
      if (fields.size() >= 3 && fields[1] == "blob") files[line.substr(tab + 1)] = {fields[0], fields[2]};
    }
    return files;
  }

  // Its bytes, which an approval covers from now on. Throws for what is no regular file, or too long.
  std::optional<std::string> cover(const std::string& path, const std::map<std::string, TreeFile>& files) {
    const auto found = files.find(path);
    if (found == files.end() || !found->second.mode.starts_with("100"))
      throw core::Error(core::ErrorKind::bad_config, path + " is no regular file of the commit");
    git::Command show;
    show.arguments = {"cat-file", "blob", found->second.id};
    show.output_limit = kLongestFile;
    std::string bytes;
    try {
      bytes = source_.must(show);
    } catch (const git::TooMuchOutput&) {
      throw core::Error(core::ErrorKind::bad_config, path + " is longer than " + std::to_string(kLongestFile) + " bytes");
    }
    const bool covered = std::ranges::any_of(result_.files, [&path](const proto::HookFile& file) { return file.path == path; });
    if (!covered) {
      if (result_.files.size() >= kMostFiles)
        throw core::Error(core::ErrorKind::bad_config, "the hooks start more than " + std::to_string(kMostFiles) + " files");
      result_.files.push_back({path, hex_of(bytes)});
    }
    return bytes;
  }

  void add(const std::vector<core::HookLine>& lines, const std::string& shell) {
    for (const auto& line : lines) {
      proto::HookInfo hook{line.event, "repository", line.command, shell, {}, std::nullopt};
      try {
        cover_programs(hook);
      } catch (const core::Error& refused) {
        if (refused.kind != core::ErrorKind::bad_config) throw;
        hook.problem = refused.message;
      }
      result_.hooks.push_back(std::move(hook));
    }
  }

  void cover_programs(proto::HookInfo& hook) {
    const auto words = disk::words_of(hook.command);
    if (words.empty()) throw core::Error(core::ErrorKind::bad_config, "it is no command");
    const auto files = files_of(words);
    const std::string& first = words.front();
    const bool of_repository = first.find('/') != std::string::npos && !first.starts_with('/');
    if (of_repository && !files.contains(first))
      throw core::Error(core::ErrorKind::bad_config, "it begins with " + first + ", which is no file of the commit");
    for (const auto& word : words) {
      if (!files.contains(word) || (word == first && !of_repository)) continue;
      (void)cover(word, files);
      hook.programs.push_back(word);
    }
  }

  const git::Git& source_;
  Oid commit_;
  proto::HooksResult& result_;
};

Oid commit_of(const JobContext& job, const git::Git& source, const core::job::ReadHooks& spec) {
  std::string wanted = job.pool->config.default_commit;
  if (spec.commit) {
    wanted = spec.commit->str();
  } else if (!spec.git_id.empty()) {
    if (const auto head = git::read_head(job.pool->place.source.str(), spec.git_id); head.oid) wanted = head.oid->str();
  }
  const auto id = git::ids_of(source, {wanted + "^{commit}"}).front();
  if (!id) throw core::Error(core::ErrorKind::commit_unknown, "cannot read hooks: there is no commit " + wanted);
  return *id;
}

}  // namespace

bool may_have_hooks(const JobContext& job, const Oid& commit) {
  if (!job.pool->config.hooks.empty()) return true;
  const auto ids =
      git::ids_of(job.source_git(), {commit.str() + ":" + disk::kHookFile, commit.str() + ":" + disk::kHookScript});
  return ids[0] || ids[1];
}

core::JobDone read_hooks(JobContext& job, const core::job::ReadHooks& spec) {
  const git::Git source = job.source_git();
  core::done::HooksRead done;
  proto::HooksResult& result = done.result;
  result.source = job.pool->place.url.value_or(job.pool->place.source.str());
  for (const auto& line : job.pool->config.hooks)
    result.hooks.push_back({line.event, "pool", line.command, "sh", {}, std::nullopt});
  const Oid commit = commit_of(job, source, spec);
  result.commit = commit.str();
  const std::size_t own = result.hooks.size();
  try {
    Reading(source, commit, result).read();
  } catch (const core::Error& refused) {
    if (refused.kind != core::ErrorKind::bad_config) throw;
    result.problem = refused.message;
    result.hooks.resize(own);
    result.files.clear();
  }
  return done;
}

}  // namespace wtpool::jobs
