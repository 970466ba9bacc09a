// Lambdas as one visitor. Inside the room.
#pragma once

namespace wtpool::core {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
// Said, since compilers before clang 17 do not work it out.
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace wtpool::core
