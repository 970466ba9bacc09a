// Named places where a test ends or holds the program: FAILPOINT("acquire.intent-written"). Only builds with WTPOOL_FAILPOINTS
// know them; in all others, releases above all, nothing of it is compiled. The environment says what happens where:
//   WTPOOL_FAILPOINT=NAME[@N]:ACTION[,...]
// NAME may be * for any; N: the N-th time that the program comes there (with *: the N-th place of all), else every time.
//   kill         SIGKILL to the program itself
//   wait=FILE    stay there for as long as FILE exists
//   log=FILE     append NAME and a newline to FILE
#pragma once

#ifdef WTPOOL_FAILPOINTS
namespace wtpool {
// Any thread.
void failpoint(const char* name);
}  // namespace wtpool
#define FAILPOINT(name) ::wtpool::failpoint(name)
#else
#define FAILPOINT(name) static_cast<void>(0)
#endif
