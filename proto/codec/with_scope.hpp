// Inside the codec: the parameters that every request of a pool has.
#pragma once

#include "proto/codec/field.hpp"

namespace wtpool::proto {

template <class T>
using Rows = std::vector<Field<T>>;

// The pool of a request, flat among the other parameters.
template <class T>
Rows<T> with_scope(Rows<T> rows) {
  Rows<T> out{
      optional<&T::scope, &Scope::pool>("pool", "the pool's key; else cwd tells, else there is only one pool"),
      optional<&T::scope, &Scope::cwd>("cwd", "the caller's directory, absolute: tells the pool and the slot it is in")};
  out.insert(out.end(), rows.begin(), rows.end());
  return out;
}

}  // namespace wtpool::proto
