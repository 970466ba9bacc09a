#include "daemon/git/tree/reset.hpp"

#include "common/base/failpoint.hpp"
#include "daemon/git/process/filters.hpp"
#include "proto/errors.hpp"

namespace wtpool::git {

void reset_beside(const Git& slot, const Oid& at) {
  Command index;
  index.arguments = {"read-tree", "--reset", at.str()};
  index.durable = true;
  index.may_filter = true;
  slot.must(index);
  FAILPOINT("reset.index-written");
  Command write;
  // It says nothing of what stands there already, and is not content with that: only what it says on stderr is an error.
  write.arguments = {"checkout-index", "-a", "-q", "-u"};
  write.may_filter = true;
  write.limit = std::chrono::hours(2);
  const ChildResult written = slot.run(write);
  if (!written.ok() && (!written.error_tail.empty() || says_killed(written.exit_code))) slot.must(write);
}

}  // namespace wtpool::git
