// wtpool_faults MACHINE [--seed N] [--amount N]: one line of figures on stdout, exit 1 with what and where on stderr when
// something did not hold.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <random>

#include "tests/faults/machines.hpp"

namespace {

// The world's own expectations are violations here too.
class ToStderr : public ::testing::EmptyTestEventListener {
 public:
  explicit ToStderr(int& count) : count_(count) {}
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    ++count_;
    std::cerr << (result.file_name() ? result.file_name() : "?") << ":" << result.line_number() << ": " << result.message()
              << "\n";
  }

 private:
  int& count_;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace wtpool::test;
  int failed = 0;
  ::testing::InitGoogleTest();
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new ToStderr(failed));

  CLI::App app{"Breaks wtpool in many ways, and looks whether all still holds"};
  app.require_subcommand(1);
  Task task;
  task.seed = std::random_device{}() % 1'000'000;
  const Machine* chosen = nullptr;
  for (const auto& machine : machines()) {
    auto* command = app.add_subcommand(machine.name, machine.does);
    command->add_option("--seed", task.seed, "what chance decides");
    command->add_option("--clients", task.clients, "at work at once; of the sweep: hosts");
    command->add_option("--slots", task.slots, "of a pool, where its size is what counts");
    command->add_option("--minutes", task.minutes, "of the sweep: it stops then, wherever it is")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--operation", task.operation, "of the sweep and of kill-points: one of their operations, or all");
    command->add_option("--amount", task.amount, std::string(machine.amount_is) + " (" + std::to_string(machine.amount) + ")");
    command->callback([&, command] {
      chosen = &machine;
      if (command->count("--amount") == 0) task.amount = machine.amount;
    });
  }
  CLI11_PARSE(app, argc, argv);
  try {
    const auto report = chosen->run(task);
    std::cout << chosen->name << ": " << report.figures << "; seed " << task.seed << "\n";
    for (const auto& violation : report.violations) std::cerr << violation << " (seed " << task.seed << ")\n";
    return report.violations.empty() && failed == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << chosen->name << ", seed " << task.seed << ": " << error.what() << "\n";
    return 1;
  }
}
