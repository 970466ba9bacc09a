// A new slot gets the files of its group's template, in place of a checkout.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/jobs/slot/job.hpp"
#include "daemon/jobs/slot/template_book.hpp"

namespace wtpool::jobs {

// How slots of a pool are made here.
enum class Way { snapshot, reflink, checkout };
struct HowToCreate {
  Way way = Way::checkout;
  std::string why;  // of a checkout, for a person: "ext4: no reflink"
};
// What the pool's config asks for, as far as its disk can do it.
[[nodiscard]] HowToCreate how_to_create(const ServedPool& pool);

// Says so, with what helps.
[[nodiscard]] core::Error cannot_freeze(const ServedPool& pool, const std::string& why);

// The template that a new slot of this group is made of; null: there is none that fits, and the slot is checked out.
[[nodiscard]] std::shared_ptr<const Template> template_for(const JobContext& job, const std::optional<std::string>& group);

// What is wrong with it, as a clause; null when every file of it is as it was frozen. Looks at every file.
[[nodiscard]] std::optional<std::string> damage_of(const Template& of);

// Of a pool whose config asks for what its disk cannot do, the first time in the life of this process: what to tell whoever got
// a new slot. Null else.
[[nodiscard]] std::optional<std::string> say_once_why_checkout(const ServedPool& pool);

// Carried paths of the template whose guards are others at `commit`.
[[nodiscard]] std::vector<std::string> misguarded(const git::Git& source, const Template& of, const Oid& commit);

// Fills the slot's directory, which has its .git file and nothing else, and writes its index: it then stands as an idle slot at
// the template's commit. What `without` names, carried paths, is left out. False: the template is damaged, the slot is as
// before, and the template is used no more. Throws what else went wrong; what was made then goes with the slot.
[[nodiscard]] bool fill_from_template(const JobContext& job, const Template& of, const std::string& git_id,
                                      const std::vector<std::string>& without, proto::Creation& creation);

// Removes a directory that may be a subvolume.
void remove_slot_directory(const disk::path& directory);

// Deletes templates that are out of use and that nobody clones from, with the refs that pin their commits.
void delete_unused_templates(const JobContext& job);

}  // namespace wtpool::jobs
