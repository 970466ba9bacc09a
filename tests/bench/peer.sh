#!/usr/bin/env bash
# What a pool without a daemon does for an acquire and a release, command for command: a pool-wide lock that is polled every
# 100 ms and held during the checkout, `reset --hard`, a marker, the branch and HEAD. The yardstick of the benchmarks. Its shell
# costs some milliseconds that such a tool would not; the benchmark measures them with a `git` that does nothing.
#
#   peer.sh acquire SOURCE SLOT NAME COMMIT      SLOT: an idle worktree of SOURCE
#   peer.sh release SOURCE SLOT NAME
set -euo pipefail
verb=$1 source=$2 slot=$3 name=$4
pool=${slot%/*}
mkdir -p "$pool/.peer"
exec 8>"$pool/.peer/lock"
read -r line <"$slot/.git"
entry=${line#gitdir: }
lock() { until flock -n 8; do sleep 0.1; done; }
if [[ $verb == acquire ]]; then
  sha=$(git -C "$source" rev-parse --verify "$5^{commit}")
  lock
  git -C "$slot" reset -q --hard "$sha"
  mkdir -p "$entry/peer"
  printf 'started_at: %(%Y-%m-%dT%H:%M:%SZ)T\nfull_sha: %s\n' -1 "$sha" >"$entry/peer/marker.new"
  mv "$entry/peer/marker.new" "$entry/peer/marker"
  git -C "$slot" update-ref "refs/heads/$name" HEAD
  git -C "$slot" symbolic-ref -m acquire HEAD "refs/heads/$name"
else
  lock
  for other in "$pool"/*/; do # each held slot is asked for its branch until one matches
    read -r line <"$other/.git"
    [[ -e ${line#gitdir: }/peer/marker ]] || continue
    branch=$(git -C "$other" symbolic-ref --short --quiet HEAD) || continue
    [[ $branch != "$name" ]] || break
  done
  sha=$(git -C "$slot" rev-parse HEAD)
  git -C "$slot" update-ref --no-deref HEAD "$sha"
  git -C "$source" branch -q -D "$name" || true
  git -C "$source" push -q origin --delete "$name" 2>/dev/null || true
  rm -f "$entry/peer/marker"
fi
