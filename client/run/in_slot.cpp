#include "client/run/in_slot.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "client/daemon/start.hpp"
#include "client/verbs/lease_variables.hpp"

namespace wtpool::client {
namespace {

// What git tells a hook of the repository that it was called in: git in the slot would go on in that one. Of what
// `git rev-parse --local-env-vars` names, the user's own settings (GIT_CONFIG_COUNT and the like) stay.
constexpr std::array<std::string_view, 14> kOfAnotherRepository = {"GIT_DIR",
                                                                   "GIT_WORK_TREE",
                                                                   "GIT_INDEX_FILE",
                                                                   "GIT_OBJECT_DIRECTORY",
                                                                   "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                                                   "GIT_COMMON_DIR",
                                                                   "GIT_PREFIX",
                                                                   "GIT_IMPLICIT_WORK_TREE",
                                                                   "GIT_GRAFT_FILE",
                                                                   "GIT_SHALLOW_FILE",
                                                                   "GIT_INTERNAL_SUPER_PREFIX",
                                                                   "GIT_QUARANTINE_PATH",
                                                                   "GIT_NAMESPACE",
                                                                   "GIT_CONFIG"};

}  // namespace

std::vector<std::string> environment_in_slot(const proto::AcquireResult& lease, const std::filesystem::path& socket) {
  const auto own = lease_variables(lease, socket);
  std::vector<std::string> environment = own_environment();
  std::erase_if(environment, [&own](const std::string& entry) {
    const std::string_view key = std::string_view(entry).substr(0, entry.find('='));
    return std::ranges::find(kOfAnotherRepository, key) != kOfAnotherRepository.end() ||
           std::ranges::any_of(own, [key](const auto& variable) { return variable.first == key; });
  });
  for (const auto& [key, value] : own) {
    if (value) environment.push_back(key + "=" + *value);
  }
  return environment;
}

int say_cannot_run(const CannotRun& cannot, const CommandLine& line, Context& context) {
  const bool entered = cannot.what == CannotRun::What::run;
  context.output.say((entered ? "cannot run " + line.argv.front() : "cannot enter " + line.directory.string()) + ": " +
                     std::strerror(cannot.error_number));
  if (!entered) return kRunFailed;
  return cannot.error_number == ENOENT ? 127 : 126;
}

}  // namespace wtpool::client
