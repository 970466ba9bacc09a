#include "client/cli/standard_streams.hpp"
#include "client/verbs/verbs.hpp"

int main(int argc, char** argv) {
  wtpool::client::secure_standard_streams();
  return wtpool::client::run({argv, static_cast<std::size_t>(argc)});
}
