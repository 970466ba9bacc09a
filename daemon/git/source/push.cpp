#include "daemon/git/source/push.hpp"

#include "common/base/url.hpp"
#include "daemon/git/files/text.hpp"
#include "daemon/git/source/fetch.hpp"
#include "daemon/git/source/fetch_failure.hpp"

namespace wtpool::git {

std::optional<std::string> push(const Git& source, const Oid& commit, const std::string& branch) {
  Command ask;
  ask.arguments = {"config", "--get", "remote.origin.url"};
  const std::string url = trimmed(source.run(ask).output);
  Command command;
  command.task = "push to " + (url.empty() ? std::string("origin") : without_credentials(url));
  command.directory = home_of(source);
  command.limit = std::chrono::hours(24);  // the context's deadline ends it
  command.arguments = {"-c",
                       "remote.origin.mirror=false",
                       "push",
                       "--porcelain",
                       "--no-verify",
                       "--no-follow-tags",
                       "--no-force-with-lease",
                       "--recurse-submodules=no",
                       "--",
                       "origin",
                       commit.str() + ":refs/heads/" + branch};
  command.environment = network_environment(source);
  const ChildResult result = source.run(command);
  if (result.ok()) return std::nullopt;
  // `!<TAB>FROM:TO<TAB>[rejected] (fetch first)`: the remote was reached, and said no.
  for (const std::string& line : split(result.output, '\n')) {
    if (!line.starts_with("!\t")) continue;
    const std::size_t said = line.rfind('\t');
    return without_credentials(line.substr(said + 1));
  }
  try {
    (void)source.must(command);  // it says in full why it cannot; and may by now
  } catch (const proto::Error& error) {
    throw fetch_failure(error, url.empty() ? "origin" : url, source.place().git_dir);
  }
  return std::nullopt;
}

}  // namespace wtpool::git
