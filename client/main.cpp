#include "client/commands.hpp"
#include "client/standard_streams.hpp"

int main(int argc, char** argv) {
  wtpool::client::secure_standard_streams();
  return wtpool::client::run({argv, static_cast<std::size_t>(argc)});
}
