# Tables (Markdown) and the data of charts (columns with tabs) from what wtpool_bench has written. $section says which.
def ours: "wtpool";
def peer: "reference tool";

. as $all
| def of($repository; $what; $who): first($all.figures[] | select(.repository == $repository and .what == $what and .who == $who)) // null;
  def short: if . == null then "" elif . >= 100 then round | tostring elif . >= 10 then (. * 10 | round) / 10 | tostring
    else (. * 100 | round) / 100 | tostring end;
  def ms: if . == null then "" else "\(.median | short) (\(.p95 | short))" end;
  def median: if . == null then null else .median end;
  def times($theirs): if . == null or $theirs == null or .median == 0 then "" else "\($theirs.median / .median | short) ×" end;
  def row: "| " + join(" | ") + " |";
  def rule($n): "|" + ("---|" * $n);
  def files: {small: "5,000 files", large: "80,000 files", tiny: "10 files"}[.];
  def away: {"0": "the same commit", "1": "1 commit away", "100": "100 commits away"}[.];
  def sizes: ("small", "large") | select(. as $r | any($all.figures[]; .repository == $r));
  def counts($r): [$all.figures[] | select(.repository == $r and .who == ours and (.what | test("^at-once-[0-9]+$"))) | .what | ltrimstr("at-once-") | tonumber]
    | sort[] | tostring;

  # In how many of all the acquires the slot was sealed; "of" is how many one round has.
  def sealed($repository; $what; $of): of($repository; $what + "-sealed"; ours)
    | if . == null then "" else "\(.samples | add) of \(.n * $of)" end;

  # A line for `what`, with the rivals' figures beside ours.
  def compared($name; $repository; $what):
    of($repository; $what; ours) as $a | of($repository; $what; peer) as $b | of($repository; $what; "git") as $c
    | if $a == null then empty else [$name, ($a | ms), ($b | ms), ($c | ms), ($a | times($b)), sealed($repository; $what; 1), ($a.n | tostring)] | row end;

  if $section == "facts" then
    .facts as $f
    | "Measured on \($f.date) at commit \($f.commit): \($f.cpu), \($f.cores) cores, \($f.memory), \($f.system), \($f.filesystem), \($f.git), \($f.compiler)."
  elif $section == "runs" then
    (["scene", "repository", "date", "rounds", "seed", "seconds, with what it needs", "load of the machine before", "and after"] | row), rule(8),
    (.runs // [] | sort_by(.scene, (.repository != "small"))[]
      | [.scene, (.repository | files), .date, (.rounds | tostring), (.seed | tostring), (.seconds | tostring), .load_before, .load_after] | row)
  elif $section == "targets" then
    (["", "wanted", "got", ""] | row), rule(4),
    (.targets[] | [.what, "\(.relation | if . == ">=" then "≥" else . end) \(.wanted) \(.unit)", (if .got == null then "not measured" else "\(.got) \(.unit)" end),
      (if .reached == null then "" elif .reached then "reached" else "**not reached**" end)] | row)
  elif $section == "acquire" then
    (["", "wtpool", "reference tool", "bare git", "times faster", "of sealed slots", "n"] | row), rule(7),
    (sizes as $r
      | (("0", "1", "100") as $d | compared("acquire at \($d | away), \($r | files)"; $r; "acquire-" + $d)),
        compared("the same commit, unsealed, \($r | files)"; $r; "acquire-0-unsealed"),
        compared("release, \($r | files)"; $r; "release"),
        compared("first touch, \($r | files)"; $r; "first-touch"))
  elif $section == "shell" then
    (["", "the script", "of it the shell's", "taken for the tool"] | row), rule(4),
    (sizes as $r
      | ([["acquire-0", "acquire", "acquire at the same commit"], ["release", "release", "release"]][]) as [$what, $shell, $name]
      | of($r; $what; "reference script") as $whole
      | if $whole == null then empty
        else ["\($name), \($r | files)", ($whole | median | short), (of($r; $shell; "its shell") | median | short), (of($r; $what; peer) | median | short)] | row end)
  elif $section == "clients" then
    (["clients at once", "wtpool", "reference tool", "times faster", "of wtpool's, each", "of sealed slots", "n"] | row), rule(7),
    (sizes as $r | counts($r) as $n | ("at-once-" + $n) as $what | of($r; $what; ours) as $a | of($r; $what; peer) as $b
      | ["\($n), \($r | files)", ($a | ms), ($b | ms), ($a | times($b)), (of($r; $what + "-each"; ours) | ms), sealed($r; $what; ($n | tonumber)), ($a.n | tostring)] | row)
  elif $section == "reports" then
    (["slots", "`path`", "`ls --json`", "`git worktree list`"] | row), rule(4),
    (("1", "16", "256") as $n | of("tiny"; "path-" + $n; ours) as $p
      | if $p == null then empty else [$n, ($p | ms), (of("tiny"; "ls-" + $n; ours) | ms), (of("tiny"; "ls-" + $n; "git") | ms)] | row end),
    (of("tiny"; "nothing"; "a process") as $p | if $p == null then empty else ["a process that does nothing", ($p | ms), "", ""] | row end)
  elif $section == "hand-over" then
    (["", "release to the next holder's command", "`git status` of the slot", "n"] | row), rule(4),
    (sizes as $r | of($r; "hand-over"; ours) as $a | if $a == null then empty
      else [($r | files), ($a | ms), (of($r; "status"; "git") | ms), ($a.n | tostring)] | row end)
  elif $section == "idle" then
    (["", "slots, sealed", "CPU in 60 s", "resident", "its share (PSS)", "its git helpers"] | row), rule(6),
    (sizes as $r | of($r; "idle-cpu-ms"; ours) as $a | if $a == null then empty
      else [($r | files), "\(of($r; "idle-slots"; ours) | median), \(of($r; "idle-sealed"; ours) | median)", "\($a | median | short) ms",
        "\(of($r; "idle-rss-mb"; ours) | median | short) MB", "\(of($r; "idle-pss-mb"; ours) | median | short) MB", "\(of($r; "idle-helpers-pss-mb"; "git") | median | short) MB"] | row end)
  elif $section == "steps" then
    (["", "step", "median", "p95"] | row), rule(4),
    (sizes as $r | ("acquire", "acquire-1", "release", "recycle") as $of
      | [.figures[] | select(.repository == $r and .what == "steps-" + $of)] | sort_by(-.median)[]
      | ["\({"acquire-1": "acquire one commit away"}[$of] // $of), \($r | files)", .who, (.median | short), (.p95 | short)] | row)
  elif $section == "chart-acquire" then
    (sizes as $r | ("0", "1", "100") as $d | ["\($d | away)\\n\($r | files)"] +
      [(ours, peer, "git") as $who | of($r; "acquire-" + $d; $who) | median // "?" | tostring] | join("\t"))
  elif $section == "chart-clients" then
    (sizes as $r | counts($r) as $n | ["\($n)\\n\($r | files)"] + [(ours, peer) as $who | of($r; "at-once-" + $n; $who) | median // "?" | tostring] | join("\t"))
  elif $section == "chart-reports" then
    (("1", "16", "256") as $n | [$n, (of("tiny"; "path-" + $n; ours) | median // "?" | tostring), (of("tiny"; "ls-" + $n; ours) | median // "?" | tostring),
      (of("tiny"; "ls-" + $n; "git") | median // "?" | tostring)] | join("\t"))
  else error("no such section: \($section)") end
