#include "daemon/jobs/run/job_names.hpp"

namespace wtpool::jobs {
namespace {

struct Name {
  std::string_view operator()(const core::job::LoadPool&) const { return "load-pool"; }
  std::string_view operator()(const core::job::Resolve&) const { return "resolve"; }
  std::string_view operator()(const core::job::Fetch&) const { return "fetch"; }
  std::string_view operator()(const core::job::TendMirror&) const { return "tend-mirror"; }
  std::string_view operator()(const core::job::Acquire&) const { return "acquire"; }
  std::string_view operator()(const core::job::EndProcesses&) const { return "end-processes"; }
  std::string_view operator()(const core::job::Release&) const { return "release"; }
  std::string_view operator()(const core::job::DeleteRemote&) const { return "delete-remote"; }
  std::string_view operator()(const core::job::Recycle&) const { return "recycle"; }
  std::string_view operator()(const core::job::Recover&) const { return "recover"; }
  std::string_view operator()(const core::job::RewriteMarker&) const { return "rewrite-marker"; }
  std::string_view operator()(const core::job::ReadBack&) const { return "read-back"; }
  std::string_view operator()(const core::job::Quarantine&) const { return "quarantine"; }
  std::string_view operator()(const core::job::Seal&) const { return "seal"; }
  std::string_view operator()(const core::job::LookAtTip&) const { return "look-at-tip"; }
  std::string_view operator()(const core::job::Advance&) const { return "advance"; }
  std::string_view operator()(const core::job::Repair&) const { return "repair"; }
  std::string_view operator()(const core::job::RemoveSlot&) const { return "remove-slot"; }
  std::string_view operator()(const core::job::RemovePool&) const { return "remove-pool"; }
  std::string_view operator()(const core::job::InitPool&) const { return "init-pool"; }
  std::string_view operator()(const core::job::GitStatus&) const { return "git-status"; }
  std::string_view operator()(const core::job::ReadHooks&) const { return "read-hooks"; }
  std::string_view operator()(const core::job::ListTrash&) const { return "list-trash"; }
  std::string_view operator()(const core::job::RestoreTrash&) const { return "restore-trash"; }
  std::string_view operator()(const core::job::DropTrash&) const { return "drop-trash"; }
  std::string_view operator()(const core::job::ExpireTrash&) const { return "expire-trash"; }
  std::string_view operator()(const core::job::StoreTask&) const { return "store-task"; }
  std::string_view operator()(const core::job::StoreFill&) const { return "store-fill"; }
  std::string_view operator()(const core::job::StoreTidy&) const { return "store-tidy"; }
  std::string_view operator()(const core::job::MakeTemplate&) const { return "make-template"; }
  std::string_view operator()(const core::job::ListTemplates&) const { return "list-templates"; }
  std::string_view operator()(const core::job::DropTemplate&) const { return "drop-template"; }
  std::string_view operator()(const core::job::Heal&) const { return "heal"; }
  std::string_view operator()(const core::job::HealLocks&) const { return "heal-locks"; }
  std::string_view operator()(const core::job::LookAtLanding&) const { return "look-at-landing"; }
  std::string_view operator()(const core::job::MakeLanding&) const { return "make-landing"; }
  std::string_view operator()(const core::job::MoveLanding&) const { return "move-landing"; }
  std::string_view operator()(const core::job::DropLanding&) const { return "drop-landing"; }
  std::string_view operator()(const core::job::RecoverLandings&) const { return "recover-landings"; }
};

}  // namespace

std::string_view name_of(const core::JobSpec& spec) { return std::visit(Name{}, spec); }

}  // namespace wtpool::jobs
