#!/usr/bin/env bash
# Packs build/packages/mlpstorage-VERSION-linux-ARCHITECTURE.tar.gz: the program with all libraries but libc linked in, its plug-ins
# for MPI, manual page, completions, and the licences of what was linked. Usage: archive.sh
# Two builds of the same sources on the same packages are the same bytes: times are SOURCE_DATE_EPOCH, or the last commit's.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
scripts/static_libraries.sh
scripts/build.sh static mlpstorage

version=$(sed -n 's/^project(mlpstorage VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=mlpstorage-$version-linux-$(uname -m)
stage=build/static/stage
rm -rf "$stage"
cmake --install build/static --prefix "$stage/$name" --strip >/dev/null
papers=$stage/$name/share/doc/mlpstorage
mkdir -p "$papers/licences"

# What stands in the linker's map was linked, and what the headers of such libraries brought. A package that licences.txt doesn't
# have stops the build: somebody decides whether it may be linked.
list() {  # PACKAGE VERSION COPYRIGHT HOW
  local licence
  licence=$(awk -v package="$1" '$1 == package { $1 = ""; print substr($0, 2) }' packaging/licences.txt)
  [ -n "$licence" ] || { echo "archive: $1 is linked, but packaging/licences.txt doesn't have it" >&2; exit 1; }
  printf '%-22s %-26s %-8s %s\n' "$1" "$2" "$4" "$licence"
  cp "$3" "$papers/licences/$1"
}
of_debian() {  # PACKAGE HOW
  list "$1" "$(dpkg-query -W -f '${Version}' "$1")" "/usr/share/doc/$1/copyright" "$2"
}
{
  echo "What is linked into bin/mlpstorage. licences/ has the copyright file of each; libc is the host's own."
  echo
  sed -n 's/^\(\/[^(]*\.a\)(.*/\1/p' build/static/mlpstorage.map | sort -u | while read -r archive; do
    case "$archive" in
      */static-libraries/lib/libcurl.a) echo curl source ;;
      */static-libraries/lib/lib[p]*.a) echo postgresql-15 source ;;
      */static-libraries/lib/libisal.a) echo libisal source ;;
      */static-libraries/lib/libfmt.a) echo fmtlib source ;;
      *) dpkg-query -S "$(realpath "$archive")" | sed 's/[:,].*/ archive/' ;;
    esac
  done | sort -u | while read -r package how; do
    if [ "$how" = source ]; then
      list "$package" "$(cat "build/static-libraries/licences/$package.version")" "build/static-libraries/licences/$package" "$how"
    else
      of_debian "$package" "$how"
    fi
  done
  for package in libeigen3-dev libexpected-dev libhnswlib-dev nlohmann-json3-dev; do of_debian "$package" headers; done
} >"$papers/linked.txt"

mkdir -p build/packages
tar --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$stage" "$name" |
  gzip -9 --no-name >"build/packages/$name.tar.gz"
echo "build/packages/$name.tar.gz"
