// What clients were told and what they did: by this, and not by what the daemon says of itself, it is judged whether a lease,
// a commit or a file was lost. A lease is known by its NAME; a NAME that was given back may be asked for again. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/world.hpp"

namespace wtpool::test {

// Up to where a client knows: `asked` and `leaving` have no answer yet, so the daemon may have done it or not.
enum class Told { asked, acknowledged, leaving, left };

struct LeaseStory {
  Told told = Told::asked;
  std::string key;  // of idempotency; empty = none
  std::string lease_id;
  std::string slot;
  fs::path path;
  bool killed = false;  // whoever asked is dead: nobody will ask for it again, and its own rule may end it at any moment
  std::vector<std::string> commits;
  std::vector<std::string> dropped;          // commits that the holder took out of his branch himself
  std::map<std::string, std::string> files;  // uncommitted, relative to the slot; each content is of this file alone
};

class Ledger {
 public:
  using Stories = std::map<std::string, LeaseStory>;

  void asked(const std::string& name, const std::string& key = {});
  // An answer of acquire, as `acquire --json` and slot.acquire give it.
  void acknowledged(const std::string& name, const json& answer);
  void refused(const std::string& name);  // answered with an error: there is no such lease
  void killed(const std::string& name);   // the client is dead (or the owner of a process lease)
  void leaving(const std::string& name);  // release was asked for, or an end by the lease's own rule was brought about
  void left(const std::string& name);
  // To be said before the work is given back, and after it was done.
  void committed(const std::string& name, const std::string& oid);
  void dropped(const std::string& name, const std::string& oid);
  void wrote(const std::string& name, const std::string& file, const std::string& content);
  void discards_the_past();                                      // what the trash keeps of leases that are over was dropped
  void saved(const std::string& name, const std::string& file);  // by its holder, in a commit of his
  void discards(const std::string& name);                        // the caller said --discard: files need not be kept any more

  [[nodiscard]] Stories stories() const;
  // Of leases that are over: what must be kept for good.
  [[nodiscard]] std::vector<std::string> commits_of_the_past() const;
  [[nodiscard]] std::vector<std::string> files_of_the_past() const;  // contents
  [[nodiscard]] std::vector<std::string> broken() const;             // what answers alone prove to be wrong

 private:
  mutable std::mutex mutex_;
  Stories stories_;
  std::vector<std::string> past_commits_, past_files_, broken_;
};

}  // namespace wtpool::test
