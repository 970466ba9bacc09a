#include "daemon/git/source/object_room.hpp"

#include <stdlib.h>
#include <cerrno>

#include "common/files/files.hpp"

namespace wtpool::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShallow = std::size_t{64} << 20;

fs::path new_directory() {
  std::string pattern = (fs::temp_directory_path() / "wtpool-objects-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw io_error("cannot make a directory below", fs::temp_directory_path(), errno);
  return pattern;
}

constexpr std::size_t kSha256 = 64;  // hex digits

Command command_of(std::vector<std::string> arguments, std::string input) {
  Command command;
  command.arguments = {"-c", "core.attributesFile=/dev/null"};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.input = std::move(input);
  command.environment = {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_NOSYSTEM", "1"}, {"GIT_ATTR_NOSYSTEM", "1"}};
  return command;
}

}  // namespace

ObjectRoom::ObjectRoom(const Git& source, const Oid& some)
    : directory_(new_directory()), git_(source.with_place({directory_.string(), {}})) {
  const fs::path common(source.place().git_dir);
  fs::create_directories(directory_ / "objects" / "info");
  fs::create_directories(directory_ / "refs");
  write_atomically(directory_ / "HEAD", "ref: refs/heads/none\n");
  write_atomically(directory_ / "objects" / "info" / "alternates", (common / "objects").string() + "\n");
  write_atomically(directory_ / "config",
                   some.str().size() == kSha256
                       ? "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n"
                       : "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  if (const auto shallow = read_file(common / "shallow", kShallow)) write_atomically(directory_ / "shallow", *shallow);
}

ObjectRoom::~ObjectRoom() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

ChildResult ObjectRoom::run(std::vector<std::string> arguments, std::string input) const {
  return git_.run(command_of(std::move(arguments), std::move(input)));
}

std::string ObjectRoom::must(std::vector<std::string> arguments, std::string input) const {
  return git_.must(command_of(std::move(arguments), std::move(input)));
}

}  // namespace wtpool::git
