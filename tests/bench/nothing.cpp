// A git that does nothing, for the cost of a script without it: prints an object id, and fails where a push would.
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "push") == 0) return 1;
  }
  std::puts("0000000000000000000000000000000000000000");
  return 0;
}
