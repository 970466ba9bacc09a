// What a disk must hold after the power failed at a moment of a story: judged by what had been answered, and done, before.
#pragma once

#include <set>

#include "tests/faults/power/recording.hpp"

namespace wtpool::test::power {

// One lease of a story; moments are numbers of effects, nothing = it never came.
struct Lease {
  std::string label, name, lease_id, slot;
  fs::path entry, path;  // relative to the world
  std::optional<std::size_t> asked, got, touched, leaving, left, idle;
  std::vector<std::pair<std::size_t, std::string>> commits;  // made at that moment
  struct File {
    std::size_t since = 0, until = SIZE_MAX;  // until the holder himself wrote it anew
    std::string path, text, blob;
  };
  std::vector<File> files;
};

class Judge {
 public:
  // `source` is the repository at the story's end, where every object is.
  Judge(const Recording& recording, const fs::path& source);

  // Sentences; empty when nothing is lost. Under the loose law only wtpool's own files are judged.
  [[nodiscard]] std::vector<std::string> violations(const Tree& disk, std::size_t moment, Law law) const;

  [[nodiscard]] const std::vector<Lease>& leases() const { return leases_; }
  // A moment just before or after one at which somebody was told something, or any at all.
  [[nodiscard]] std::size_t pick_moment(std::mt19937& chance) const;
  // What is under way at a moment, for messages.
  [[nodiscard]] std::string scene(std::size_t moment) const;
  // Commits and blobs that must be kept at that moment by refs alone, once recovery is through.
  [[nodiscard]] std::vector<std::string> kept_at(std::size_t moment) const;
  [[nodiscard]] std::size_t end() const { return end_; }

 private:
  struct Object {
    std::string bytes;  // of its loose file
    std::vector<std::string> leads_to;
  };
  void read_objects(const fs::path& source);
  void read_story(const Recording& recording);
  void read_indexes(const Recording& recording);
  [[nodiscard]] bool whole(const Tree& disk, const std::string& oid) const;
  [[nodiscard]] std::map<std::string, bool> reached(const Tree& disk) const;
  static void judge_marker(const Tree& disk, const Lease& lease, std::size_t moment, std::vector<std::string>& wrong);
  static void judge_head(const Tree& disk, const Lease& lease, std::size_t moment, std::vector<std::string>& wrong);
  void judge_index(const Tree& disk, const Lease& lease, std::size_t moment, std::vector<std::string>& wrong) const;
  void judge_work(const Tree& disk, const Lease& lease, std::size_t moment, const std::map<std::string, bool>& reached,
                  std::vector<std::string>& wrong) const;
  [[nodiscard]] std::string missing_below(const std::map<std::string, bool>& reached, const std::string& commit) const;

  fs::path repository_ = "app/.git";  // relative to the world
  std::map<std::string, Object> objects_;
  std::set<std::string> indexes_;  // each that ever was put in its place, whole
  std::vector<Lease> leases_;
  std::vector<std::string> always_;  // commits that stand from the start
  std::vector<std::pair<std::size_t, std::string>> asks_;
  std::size_t end_ = 0;
};

}  // namespace wtpool::test::power
