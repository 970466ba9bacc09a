// How a lease ends, for every kind of lease, every way its holder may end and every state its slot may be in. What is to
// become of it stands in one table.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "tests/support/wire.hpp"
#include "tests/support/world.hpp"

namespace wtpool::test {
namespace {

enum class Kind { durable, durable_with_ttl, connection, process };
enum class End { exits, killed, child_keeps_socket, reboot, ttl_passes, daemon_killed, unconfirmed };
enum class Dirt { clean, dirty, branch_moved };
enum class Then {
  none,           // cannot happen
  held,           // nothing changed
  held_by_child,  // held until the child is gone too
  held_for_now,   // held for as long as its client may take to come back
  over            // recycled; what `kept` says is in the trash
};
using enum Then;

constexpr std::array kKinds = {Kind::durable, Kind::durable_with_ttl, Kind::connection, Kind::process};
constexpr std::array kEnds = {End::exits,      End::killed,        End::child_keeps_socket, End::reboot,
                              End::ttl_passes, End::daemon_killed, End::unconfirmed};
constexpr std::array kDirts = {Dirt::clean, Dirt::dirty, Dirt::branch_moved};

// A row a kind, a column an end, both in the order of the lists above.
constexpr std::array<std::array<Then, kEnds.size()>, kKinds.size()> kTable{{
    // exits, killed, child keeps socket, reboot, ttl passes, daemon killed, unconfirmed
    {{held, held, held, held, none, held, over}},                   // durable
    {{held, held, held, held, over, held, over}},                   // durable with ttl
    {{over, over, held_by_child, held_for_now, none, held, over}},  // connection
    {{over, over, over, over, none, held, over}},                   // process
}};

// Of a lease that is over: the names below refs/wtpool/trash/<ID>/.
std::string kept(Dirt dirt) { return dirt == Dirt::clean ? "" : dirt == Dirt::dirty ? "work" : "heads/x"; }

// The only combination without a meaning: the end of a time that the lease does not have.
constexpr bool makes_sense(Kind kind, End end) { return end != End::ttl_passes || kind == Kind::durable_with_ttl; }

constexpr Then row_of(Kind kind, End end) { return kTable[static_cast<std::size_t>(kind)][static_cast<std::size_t>(end)]; }

constexpr bool table_is_whole() {
  for (const auto kind : kKinds) {
    for (const auto end : kEnds) {
      if (makes_sense(kind, end) == (row_of(kind, end) == none)) return false;
    }
  }
  return true;
}
static_assert(table_is_whole());

struct Case {
  Kind kind;
  End end;
  Dirt dirt;
};

std::string name_of(const Case& each) {
  static const std::map<Kind, std::string> kinds = {{Kind::durable, "Durable"},
                                                    {Kind::durable_with_ttl, "DurableWithTtl"},
                                                    {Kind::connection, "Connection"},
                                                    {Kind::process, "Process"}};
  static const std::map<End, std::string> ends = {{End::exits, "HolderExits"},
                                                  {End::killed, "HolderIsKilled"},
                                                  {End::child_keeps_socket, "ParentExitsAndItsChildKeepsTheSocket"},
                                                  {End::reboot, "MachineReboots"},
                                                  {End::ttl_passes, "TtlPasses"},
                                                  {End::daemon_killed, "DaemonIsKilledAndStarted"},
                                                  {End::unconfirmed, "ClientIsKilledBeforeItConfirms"}};
  static const std::map<Dirt, std::string> dirts = {
      {Dirt::clean, "Clean"}, {Dirt::dirty, "Dirty"}, {Dirt::branch_moved, "BranchMoved"}};
  return kinds.at(each.kind) + "_" + ends.at(each.end) + "_" + dirts.at(each.dirt);
}
void PrintTo(const Case& each, std::ostream* stream) { *stream << name_of(each); }

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto kind : kKinds) {
    for (const auto end : kEnds) {
      for (const auto dirt : kDirts) {
        if (makes_sense(kind, end)) all.push_back({kind, end, dirt});
      }
    }
  }
  return all;
}

// A client that speaks for itself, so that it may stop in the middle of the protocol, or leave its socket to a child.
class RawHolder {
 public:
  RawHolder(const fs::path& socket, json params, bool owns, bool confirms) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair failed");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      if (owns) params["owner_pid"] = ::getpid();
      hold(socket, params, confirms, ends[1]);
    }
    ::close(ends[1]);
    orders_ = ends[0];
    char said = 0;
    if (::read(orders_, &said, 1) != 1 || said != 'h') throw std::runtime_error("the holder did not get its lease");
  }
  ~RawHolder() {
    kill();
    let_child_go();
  }
  RawHolder(const RawHolder&) = delete;
  RawHolder& operator=(const RawHolder&) = delete;

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    reap();
  }
  void exit_and_leave_the_socket_to_a_child() {
    EXPECT_EQ(::write(orders_, "f", 1), 1);
    reap();
  }
  void let_child_go() {
    if (orders_ >= 0) ::close(orders_);
    orders_ = -1;
  }

 private:
  [[noreturn]] static void hold(const fs::path& socket, const json& params, bool confirms, int orders) {
    char order = 0;
    try {
      Wire wire(socket);
      const auto answer = wire.call("slot.acquire", params);
      const bool held = answer.contains("result");
      if (held && confirms) wire.call("slot.confirm", {{"lease_id", answer["result"]["lease_id"]}});
      if (!held) std::cerr << answer << "\n";
      if (held && ::write(orders, "h", 1) == 1 && ::read(orders, &order, 1) == 1 && ::fork() == 0) {
        (void)!::read(orders, &order, 1);  // the end of the test's end, or the test's own
      }
      ::_exit(0);  // without the destructor of `wire`: it is a process that ends, not a connection that is closed
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
    }
    ::_exit(1);
  }
  void reap() {
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid_ = -1;
  int orders_ = -1;
};

class Lease : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    world.environment["T"] = world.dir().string();
    world.environment["WTPOOL"] = std::string(WTPOOL_BIN_DIR) + "/wtpool";
    write_text(world.dir() / "stay", "");
    world.start_daemon();
    world.init(repo, {"--max-slots", "2"});
  }

  void begin() {
    if (GetParam().end == End::child_keeps_socket || GetParam().end == End::unconfirmed) {
      begin_raw();
    } else {
      begin_with_the_client();
    }
    const auto element = world.slot("slot-0");
    ASSERT_EQ(element["state"], "held") << element;
    EXPECT_EQ(element["lease"]["kind"], kind == Kind::connection ? "connection"
                                        : kind == Kind::process  ? "process"
                                                                 : "durable");
    EXPECT_EQ(element["lease"]["expires_at"].is_null(), kind != Kind::durable_with_ttl) << element;
    if (GetParam().dirt == Dirt::dirty) write_text(slot / "README.md", "work in progress\n");
    if (GetParam().dirt == Dirt::branch_moved) Repo(slot).commit("work.txt", "work\n");
    status = git(slot, {"status", "--porcelain"});
    tip = git(slot, {"rev-parse", "HEAD"});
  }
  void begin_raw() {
    json params = {{"pool", "app"}, {"name", "x"}, {"confirm", true}};
    params["lease_kind"] = kind == Kind::connection ? "connection" : kind == Kind::process ? "process" : "durable";
    if (kind == Kind::durable_with_ttl) params["ttl_seconds"] = ttl();
    raw.emplace(world.socket(), params, kind == Kind::process, GetParam().end != End::unconfirmed);
  }
  // The holder is a shell that asks for the slot and stays, or that was given it by `run`.
  void begin_with_the_client() {
    const std::string stays = "touch $T/begun; while [ -e $T/stay ]; do sleep 0.02; done";
    if (kind == Kind::connection) {
      holder.emplace(world.start_wtpool({"run", "x", "--", "sh", "-c", stays}));
    } else {
      std::string flags;
      if (kind == Kind::durable_with_ttl) flags = " --ttl " + std::to_string(ttl()) + "s";
      if (kind == Kind::process) flags = " --owner-pid $$";
      const auto script = "\"$WTPOOL\" acquire x" + flags + " && " + stays;
      holder.emplace(Command{.argv = {"sh", "-c", script}, .environment = world.environment, .directory = world.dir()});
    }
    ASSERT_TRUE(wait_until([this] { return fs::exists(world.dir() / "begun"); })) << holder->err_so_far();
  }
  [[nodiscard]] int ttl() const { return GetParam().end == End::ttl_passes ? 1 : 3600; }

  void end_it() {
    switch (GetParam().end) {
      case End::exits:
        fs::remove(world.dir() / "stay");
        EXPECT_EQ(holder->wait().code, 0);
        return;
      case End::killed:
        return kill_holder();
      case End::child_keeps_socket:
        return raw->exit_and_leave_the_socket_to_a_child();
      case End::reboot:
        world.kill_daemon();
        if (kind == Kind::process) forget_the_boot();
        if (kind != Kind::process) kill_holder();
        if (kind == Kind::connection) fs::remove(world.dir() / "stay");  // for its command, which nobody ended
        return world.start_daemon();
      case End::ttl_passes:
        return;
      case End::daemon_killed:
        world.kill_daemon();
        return world.start_daemon();
      case End::unconfirmed:
        return raw->kill();
    }
  }
  void kill_holder() {
    holder->signal(SIGKILL);
    EXPECT_EQ(holder->wait().code, 128 + SIGKILL);
  }
  // Another boot is all that differs: a process with the owner's pid and start lives on, and is somebody else.
  void forget_the_boot() {
    auto marker = read_text(marker_of(slot));
    const auto begin = marker.find("\nboot_id: ") + 10;
    ASSERT_NE(begin, std::string::npos + 10) << marker;
    marker.replace(begin, marker.find('\n', begin) - begin, "00000000-0000-4000-8000-000000000000");
    write_text(marker_of(slot), marker);
  }

  // Whatever the daemon had to notice about the holder, it noticed before the end of a lease that ends after it.
  void wait_for_a_later_end() const {
    {
      Wire witness(world.socket());
      const auto answer = witness.call("slot.acquire", {{"pool", "app"}, {"name", "witness"}, {"lease_kind", "connection"}});
      ASSERT_EQ(answer["result"].value("slot", ""), "slot-1") << answer;
    }
    ASSERT_TRUE(world.wait_for_state("slot-1", "idle"));
  }
  void expect_held() const {
    wait_for_a_later_end();
    const auto element = world.slot("slot-0");
    EXPECT_EQ(element["state"], "held") << element;
    EXPECT_EQ(element["name"], "x");
    EXPECT_EQ(flat_yaml(read_text(marker_of(slot)))["state"], "held");
    EXPECT_EQ(git(slot, {"symbolic-ref", "HEAD"}), "refs/heads/x");
    EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), tip);
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), status);
    EXPECT_EQ(repo.trash_refs(), std::vector<std::string>());
  }
  void expect_no_end_in_sight() const {
    EXPECT_TRUE(wait_until([this] { return world.slot("slot-0")["lease"]["expires_at"].is_null(); }));
  }
  void expect_over() const {
    ASSERT_TRUE(world.wait_for_state("slot-0", "idle")) << world.slot("slot-0");
    EXPECT_FALSE(fs::exists(marker_of(slot)));
    EXPECT_FALSE(repo.has_branch("x"));
    EXPECT_NE(try_git(slot, {"symbolic-ref", "-q", "HEAD"}).code, 0) << "HEAD is to be detached";
    EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), repo.head());
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    expect_kept(kept(GetParam().dirt));
    EXPECT_EQ(repo.complaint(), "");
  }
  void expect_kept(const std::string& what) const {
    const auto refs = repo.trash_refs();
    ASSERT_EQ(refs.size(), what.empty() ? 0u : 1u) << ::testing::PrintToString(refs);
    if (what.empty()) return;
    EXPECT_TRUE(refs[0].ends_with("/" + what)) << refs[0];
    if (what == "work") {
      EXPECT_EQ(repo.git({"show", refs[0] + ":README.md"}), "work in progress");
    } else {
      EXPECT_EQ(repo.git({"rev-parse", refs[0]}), tip);
    }
  }

  World world;
  Repo repo = world.make_repo();
  const Kind kind = GetParam().kind;
  const fs::path slot = world.root() / "app/slot-0";
  std::optional<Process> holder;
  std::optional<RawHolder> raw;
  std::string status, tip;
};

TEST_P(Lease, EndsAsTheTableSays) {
  begin();
  if (HasFatalFailure()) return;
  end_it();
  switch (row_of(kind, GetParam().end)) {
    case none:
      FAIL() << "not in the table";
    case held:
      expect_held();
      if (kind != Kind::durable_with_ttl) expect_no_end_in_sight();
      return;
    case held_by_child:
      expect_held();
      expect_no_end_in_sight();
      raw->let_child_go();
      return expect_over();
    case held_for_now:
      expect_held();
      EXPECT_FALSE(world.slot("slot-0")["lease"]["expires_at"].is_null()) << world.slot("slot-0");
      return;
    case over:
      return expect_over();
  }
}

INSTANTIATE_TEST_SUITE_P(Ends, Lease, ::testing::ValuesIn(cases()),
                         [](const ::testing::TestParamInfo<Case>& each) { return name_of(each.param); });

// Linux before 5.3, or a sandbox that forbids it.
TEST(ProcessLease, LivesAsLongAsItsOwnerAlsoWhereTheSystemCannotWatchIt) {
  if (::access("/usr/bin/strace", X_OK) != 0) GTEST_SKIP() << "there is no strace";
  World world;
  const Repo repo = world.make_repo();
  world.daemon_prefix = {
      "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pidfd_open", "-e", "inject=pidfd_open:error=ENOSYS"};
  world.start_daemon();
  world.init(repo, {"--max-slots", "2"});
  Process owner({.argv = {"sleep", "600"}, .environment = world.environment, .directory = world.dir()});
  world.acquire("x", {"--owner-pid", std::to_string(owner.pid())});
  world.acquire("y");  // the look at the owner was due by then
  world.release("y");
  EXPECT_EQ(world.state_of("slot-0"), "held");
  owner.signal(SIGKILL);
  (void)owner.wait();
  EXPECT_TRUE(world.wait_for_state("slot-0", "idle"));
}

}  // namespace
}  // namespace wtpool::test
