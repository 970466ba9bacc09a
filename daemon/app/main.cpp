#include "daemon/app/start.hpp"

int main(int argc, char** argv) { return wtpool::app::start(argc, argv); }
