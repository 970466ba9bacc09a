// From a command line to an exit code.
#pragma once

namespace wtpool::app {

int start(int argc, const char* const* argv);

}  // namespace wtpool::app
