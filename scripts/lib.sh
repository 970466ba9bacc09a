# shellcheck shell=bash
# Shared by the scripts beside it; sourced, never run. Sets `top`, the root of the source tree.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

jobs_of_host() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

# Is there a ccache that works? It is the only tool here that writes below HOME, which may be anything.
ccache_works() {
  command -v ccache >/dev/null 2>&1 || return 1
  local dir code=0
  dir=$(mktemp -d)
  echo 'int one;' >"$dir/one.cpp"
  ccache "${CXX:-c++}" -c "$dir/one.cpp" -o "$dir/one.o" >/dev/null 2>&1 || code=1
  rm -rf "$dir"
  return "$code"
}

# build_preset PRESET [NINJA-TARGET...]: configures when needed and builds. A build folder that belongs to a source tree
# elsewhere (a copied or moved clone) is made anew, since CMake refuses it.
build_preset() {
  local preset=$1 dir="$top/build/$1" home launcher=
  shift
  if [[ -f $dir/CMakeCache.txt ]]; then
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$dir/CMakeCache.txt")
    [[ $home == "$top" ]] || rm -rf "$dir"
  fi
  if ccache_works; then
    export CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
    launcher=ccache
  fi
  (cd "$top" && cmake --preset "$preset" "-DCMAKE_CXX_COMPILER_LAUNCHER=$launcher" && cmake --build "$dir" -j "$(jobs_of_host)" ${1+--target "$@"})
}
