#!/usr/bin/env bash
# Installs what is missing on Debian and Ubuntu. Usage: setup.sh run|build|static|test|long|all
#   run    to compile and run the program on one host
#   build  also the MPI libraries, for the plug-ins that join hosts
#   test   what the tests, benchmarks and checks need besides; servers that no distribution has come from elsewhere (servers.sh)
#   static also what the archive of `make archive` is built from
#   long   Clang with libFuzzer, for the fuzzers; debootstrap and buildah, for what is handed on in a bare Debian
# Does nothing, quickly, when everything is there. On other distributions it lists what is needed and goes on: CMake
# names what it does not find.
set -euo pipefail

run_packages=(g++ make cmake ninja-build git pkg-config ca-certificates libcurl4-openssl-dev libssl-dev libfmt-dev
  nlohmann-json3-dev libexpected-dev libyaml-cpp-dev libpugixml-dev libeigen3-dev libhnswlib-dev libisal-dev liburing-dev libzstd-dev
  libpq-dev)
mpi_packages=(libopenmpi-dev libmpich-dev)
static_packages=(libnghttp2-dev nasm dpkg-dev perl debian-archive-keyring)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev zlib1g-dev python3 python3-venv openssl python3-numpy python3-jsonschema ceph-common ceph-mon ceph-osd radosgw
  s3cmd fio bindfs btrfs-progs zstd clang-format clang-tidy iproute2 util-linux procps openmpi-bin mpich slurmctld slurmd slurm-client munge
  zsh fish man-db mandoc lintian)
# Node.js from elsewhere brings its own npm and can't stand beside Debian's.
command -v node >/dev/null && command -v npm >/dev/null || test_packages+=(nodejs npm)
# Clang with libFuzzer, whose package has a number in its name, or is part of another.
long_packages=(clang debootstrap buildah "${static_packages[@]}")
case "$(. /etc/os-release 2>/dev/null && echo "${ID:-}-${VERSION_ID:-}")" in
  debian-12) long_packages+=(libclang-rt-14-dev) ;;
  debian-13) long_packages+=(libclang-rt-19-dev) ;;
  ubuntu-24.04) long_packages+=(libclang-rt-18-dev) ;;
esac

case "${1:-all}" in
  run) packages=("${run_packages[@]}") ;;
  build) packages=("${run_packages[@]}" "${mpi_packages[@]}") ;;
  static) packages=("${run_packages[@]}" "${mpi_packages[@]}" "${static_packages[@]}") ;;
  test) packages=("${test_packages[@]}") ;;
  long) packages=("${long_packages[@]}") ;;
  all) packages=("${run_packages[@]}" "${mpi_packages[@]}" "${test_packages[@]}") ;;
  *) echo "usage: $0 run|build|static|test|long|all" >&2; exit 2 ;;
esac

case "${1:-all}" in
  test | all) trap '[ $? -ne 0 ] || "$(dirname "$0")/servers.sh"' EXIT ;;  # when the packages are there
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  cat >&2 <<'TEXT'
setup: this is not Debian or Ubuntu, so nothing is installed. Needed: a C++20 compiler (GCC 12 or Clang 14 or later),
CMake 3.22, Ninja, pkg-config, and the development files of libcurl, OpenSSL, fmt, nlohmann-json, tl-expected,
yaml-cpp, pugixml, Eigen, hnswlib, ISA-L, zstd and liburing; for runs on many hosts those of Open MPI or MPICH. The tests need also
GoogleTest, Google Benchmark, zlib, Python 3 with NumPy, Node.js with npm, Ceph (monitor, OSD, radosgw, command line),
s3cmd, fio, bindfs, btrfs-progs, zstd, clang-format and clang-tidy, Open MPI, MPICH, and Slurm with munge.
TEXT
  exit 0
fi

installed=$(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' "${packages[@]}" 2>/dev/null | sed -n 's/^ii //p' || true)
missing=()
for package in "${packages[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: missing ${missing[*]}; run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}" >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" \
  >&2 </dev/null
