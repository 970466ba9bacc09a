// Tables of what slot.land carries.
#include "proto/codec/field.hpp"
#include "proto/codec/tables.hpp"

namespace wtpool::proto {

template <class T>
using Rows = std::vector<Field<T>>;

template <>
const Rows<LandParams>& fields<LandParams>() {
  using P = LandParams;
  static const Rows<P> rows{
      optional<&P::scope, &Scope::pool>("pool", "the pool's key; else cwd tells, else there is only one pool"),
      optional<&P::scope, &Scope::cwd>("cwd", "the caller's directory, absolute: tells the pool and the slot it is in"),
      optional<&P::target, &Target::target>("target", "NAME or SLOT, as a person typed it"),
      optional<&P::target, &Target::name>("name", "the NAME that the slot was acquired as"),
      optional<&P::target, &Target::slot>("slot", "the slot's id"),
      optional<&P::target, &Target::lease_id>("lease_id", "the lease that holds the slot"),
      optional<&P::into>("into", "the branch to land on; default: the pool's land_into, else that of its default_commit"),
      optional<&P::style>("style", "how the work is joined; default: the pool's land_style"),
      optional<&P::message>("message", "the message of the one commit of a squash"),
      optional<&P::test>("test", "the client tests each candidate; default: where the pool has a test"),
      optional<&P::push>("push", "push to the remote's branch instead"),
      optional<&P::stay>("stay", "leave the slot's branch where it is"),
      optional<&P::release>("release", "release the slot, if it is clean and has not moved since"),
      optional<&P::dry_run>("dry_run", "say what would land, and change nothing"),
      optional<&P::wait_ms>("wait_ms", "give up after so many milliseconds; default: half an hour", kMilliseconds),
      optional<&P::progress>("progress", "send progress notifications")};
  return rows;
}

template <>
const Rows<LandTestedParams>& fields<LandTestedParams>() {
  using P = LandTestedParams;
  static const Rows<P> rows{required<&P::land_id>("land_id", "the landing, as `candidate` named it"),
                            required<&P::candidate>("candidate", "the commit that was tested"),
                            required<&P::passed>("passed", "the test succeeded"),
                            optional<&P::why>("why", "one line for a person, of a test that failed")};
  return rows;
}

template <>
const Rows<CheckoutInfo>& fields<CheckoutInfo>() {
  using R = CheckoutInfo;
  static const Rows<R> rows{always<&R::path>("path", "a working tree that has the target checked out"),
                            always<&R::synced>("synced", "its index and files stand at the new commit")};
  return rows;
}

template <>
const Rows<LandResult>& fields<LandResult>() {
  using R = LandResult;
  static const Rows<R> rows{always<&R::pool>("pool", "the pool's key"),
                            always<&R::name>("name", "NAME of the lease"),
                            always<&R::target>("target", "the branch, by its short name"),
                            always<&R::before>("before", "where it stood"),
                            always<&R::after>("after", "where it stands now; as before: everything had landed already"),
                            always<&R::style>("style", "how the work was joined"),
                            always<&R::commits>("commits", "commits of the slot that the target had not"),
                            always<&R::tested>("tested", "that very commit passed the test"),
                            always<&R::tries>("tries", "one more for each time that somebody else moved the target"),
                            always<&R::checkouts>("checkouts", "working trees that have the target checked out"),
                            always<&R::pushed>("pushed", "the remote's branch was moved"),
                            always<&R::followed>("followed", "the slot's branch, when it was brought along"),
                            always<&R::released>("released", "the slot is released")};
  return rows;
}

template <>
const Rows<CandidateNote>& fields<CandidateNote>() {
  using R = CandidateNote;
  static const Rows<R> rows{always<&R::request>("request", "the id of the request it is about", kAnyInteger),
                            always<&R::land_id>("land_id", "the landing, for land.tested"),
                            always<&R::name>("name", "NAME of the lease"),
                            always<&R::candidate>("candidate", "the commit to test; no other counts from now on"),
                            always<&R::target>("target", "the branch it is to land on"),
                            always<&R::pool>("pool", "the pool's key"),
                            always<&R::test>("test", "the pool's land_test"),
                            always<&R::path>("path", "the slot, where it stands at that very commit; else null"),
                            always<&R::position>("position", "how many land before it")};
  return rows;
}

}  // namespace wtpool::proto
