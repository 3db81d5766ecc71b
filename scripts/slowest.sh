#!/usr/bin/env bash
# Prints, for each build, the seconds of all its objects and the ten that took longest, from Ninja's log of their last compilation.
# Usage: slowest.sh [BUILD_FOLDER...], default all under build/
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- build/*/
for folder in "$@"; do
  [ -e "$folder/.ninja_log" ] || continue
  awk -F '\t' '$4 ~ /\.o$/ { seconds[$4] = ($2 - $1) / 1000 }
    END { for (object in seconds) { printf "%8.1f  %s\n", seconds[object], object; all += seconds[object]; ++count }
          printf "%8.1f  all %d objects of '"${folder%/}"'\n", all, count }' "$folder/.ninja_log" |
    sort -rn | sed -n '1,11p'
done
