#include "daemon/core/rules/consequences.hpp"

#include <array>

#include "daemon/core/state/overloaded.hpp"

namespace wtpool::core {
namespace {

using enum Consequence;

constexpr std::size_t kFaultCount = 7;

struct Row {
  Doing doing;
  std::array<Consequence, kFaultCount> consequences;  // in the order of Fault
};

constexpr std::array<Row, kDoingCount> kTable{{
    //  none, slot_busy, slot_fault, quarantine, source_fault, host_fault, cancelled
    // Whatever keeps a pool from being read keeps it from being judged. Its lock may be let go at any moment.
    {Doing::loading, {degrade, wait_for_lock, degrade, degrade, degrade, degrade, degrade}},
    // Another slot may do what this one cannot. What lies in the source, the commit or the disk lies in every slot's way.
    {Doing::acquiring, {tell, pass_over, set_aside, quarantine_slot, tell, tell, tell}},
    // The lease is not over before its processes are, or before it is certain that they cannot be ended.
    {Doing::ending_processes, {tell, tell, tell, quarantine_slot, tell, tell, try_again}},
    // Before the marker `releasing` the slot is still held: the holder is told, and may ask again.
    {Doing::releasing, {tell, tell, tell, quarantine_slot, tell, tell, try_again}},
    // The name is given back already, so nobody can ask again: it is done until it works, or until the slot is to blame.
    {Doing::recycling, {count, wait_for_lock, count, quarantine_slot, count, wait_for_host, try_again}},
    {Doing::recovering, {count, wait_for_lock, count, quarantine_slot, count, wait_for_host, try_again}},
    // The slot is quarantined in memory, whatever the disk says to it.
    {Doing::recording,
     {wait_for_host, wait_for_host, wait_for_host, wait_for_host, wait_for_host, wait_for_host, wait_for_host}},
    // Whoever wants the slot goes first, and looks for himself: what is wrong with it is his to find, or a doctor.
    {Doing::tending, {try_again, try_again, try_again, try_again, try_again, try_again, try_again}},
    {Doing::asked, {tell, tell, tell, tell, tell, tell, tell}},
}};

constexpr bool every_row_stands_in_its_place() {
  for (std::size_t row = 0; row < kTable.size(); ++row) {
    if (static_cast<std::size_t>(kTable[row].doing) != row) return false;
  }
  return true;
}
static_assert(every_row_stands_in_its_place());
static_assert(static_cast<std::size_t>(Doing::asked) + 1 == kDoingCount);
static_assert(static_cast<std::size_t>(Fault::cancelled) + 1 == kFaultCount);

}  // namespace

Doing doing_of(const JobSpec& spec) {
  return std::visit(Overloaded{
                        [](const job::LoadPool&) { return Doing::loading; },
                        [](const job::Acquire&) { return Doing::acquiring; },
                        [](const job::EndProcesses&) { return Doing::ending_processes; },
                        [](const job::Release&) { return Doing::releasing; },
                        [](const job::Recycle&) { return Doing::recycling; },
                        [](const job::Recover&) { return Doing::recovering; },
                        [](const job::Quarantine&) { return Doing::recording; },
                        [](const job::Seal&) { return Doing::tending; },
                        [](const job::Advance&) { return Doing::tending; },
                        [](const job::MakeSlot&) { return Doing::acquiring; },
                        [](const auto&) { return Doing::asked; },
                    },
                    spec);
}

Consequence consequence(Doing doing, Fault fault) {
  return kTable[static_cast<std::size_t>(doing)].consequences[static_cast<std::size_t>(fault)];
}

}  // namespace wtpool::core
