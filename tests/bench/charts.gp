# The charts of docs/performance.md: `data` and `charts` are folders, given by tests/bench/compare.
set datafile separator "\t"
set datafile missing "?"
set terminal svg size 760,380 font "sans-serif,12" background "white"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set grid ytics lc rgb "#dddddd"
set key top left
set logscale y
set ylabel "milliseconds (logarithmic)"
set linetype 1 lc rgb "#1b7837"
set linetype 2 lc rgb "#b2182b"
set linetype 3 lc rgb "#777777"

has(name) = int(system("wc -l <'".data."/".name."'")) > 0 # what was not measured has no chart

if (has("acquire")) {
set output charts."/acquire.svg"
set title "One acquire, whole command, median"
plot data."/acquire" using 2:xtic(1) title "wtpool" lt 1, "" using 3 title "reference tool" lt 2, "" using 4 title "bare git" lt 3
}

if (has("clients")) {
set output charts."/clients.svg"
set title "All of so many acquires at once, median"
plot data."/clients" using 2:xtic(1) title "wtpool" lt 1, "" using 3 title "reference tool" lt 2
}

if (has("reports")) {
set output charts."/reports.svg"
set title "Reports by number of slots, whole command, median"
set xlabel "slots"
plot data."/reports" using 2:xtic(1) title "wtpool path" lt 1, "" using 3 title "wtpool ls --json" lt 2, "" using 4 title "git worktree list" lt 3
}
