#include "proto/messages.hpp"

namespace wtpool::proto {
namespace {

template <class E>
std::optional<E> find_text(std::string_view text, std::initializer_list<E> values) {
  for (const E value : values) {
    if (to_text(value) == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(Dirty value) {
  switch (value) {
    case Dirty::save:
      return "save";
    case Dirty::refuse:
      return "refuse";
    case Dirty::discard:
      return "discard";
  }
  return "save";
}

std::string_view to_text(LeaseKind value) {
  switch (value) {
    case LeaseKind::durable:
      return "durable";
    case LeaseKind::connection:
      return "connection";
    case LeaseKind::process:
      return "process";
  }
  return "durable";
}

std::string_view to_text(SlotState value) {
  switch (value) {
    case SlotState::fresh:
      return "fresh";
    case SlotState::idle:
      return "idle";
    case SlotState::acquiring:
      return "acquiring";
    case SlotState::held:
      return "held";
    case SlotState::recycling:
      return "recycling";
    case SlotState::quarantined:
      return "quarantined";
  }
  return "quarantined";
}

std::string_view to_text(MergedWay value) {
  switch (value) {
    case MergedWay::same_commit:
      return "same_commit";
    case MergedWay::ancestor:
      return "ancestor";
    case MergedWay::no_added_changes:
      return "no_added_changes";
    case MergedWay::trees_match:
      return "trees_match";
    case MergedWay::merge_adds_nothing:
      return "merge_adds_nothing";
    case MergedWay::patch_id:
      return "patch_id";
  }
  return "patch_id";
}

std::string_view to_text(SweepClass value) {
  switch (value) {
    case SweepClass::broken:
      return "broken";
    case SweepClass::busy:
      return "busy";
    case SweepClass::dirty:
      return "dirty";
    case SweepClass::merged:
      return "merged";
    case SweepClass::empty:
      return "empty";
    case SweepClass::young:
      return "young";
    case SweepClass::ahead:
      return "ahead";
  }
  return "broken";
}

std::optional<Dirty> dirty_from_text(std::string_view text) {
  return find_text(text, {Dirty::save, Dirty::refuse, Dirty::discard});
}

std::optional<LeaseKind> lease_kind_from_text(std::string_view text) {
  return find_text(text, {LeaseKind::durable, LeaseKind::connection, LeaseKind::process});
}

}  // namespace wtpool::proto
