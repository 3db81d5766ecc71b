#!/usr/bin/env bash
# Builds the libraries of the static program that Debian has no fitting archive of, from Debian's own sources, into
# build/static-libraries: include/, lib/, and licences/ with the copyright file of each. Usage: static_libraries.sh
# Does nothing, quickly, when everything is there. Why these: docs/install.md.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/build/static-libraries
work=$folder/work
[ -e "$folder/complete" ] && exit 0
if [ "$(. /etc/os-release 2>/dev/null && echo "${ID:-}-${VERSION_ID:-}")" != debian-12 ]; then
  echo "static_libraries: the archive is made on Debian 12, whose sources and packages it is linked from; see docs/install.md" >&2
  exit 1
fi
rm -rf "$folder"
mkdir -p "$folder"/{include,lib,licences} "$work"/{lists/partial,archives/partial}
exec 3>&1 >"$folder/build.log" 2>&1
trap '[ $? -eq 0 ] || { tail -30 "$folder/build.log"; echo "static_libraries: failed; log: $folder/build.log"; } >&3' EXIT

# Sources by apt, which checks their signatures, without a change to this machine's own lists of packages.
sources() {  # SUITE...
  local suite
  for suite in "$@"; do
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/$suite main"
  done >"$work/sources.list"
  (cd "$work" && apt-get update && apt-get source curl postgresql-15 libisal fmtlib)
}
cat >"$work/apt.conf" <<TEXT
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::Cache "$work";
APT::Sandbox::User "root";
TEXT
export APT_CONFIG=$work/apt.conf
sources "debian bookworm" "debian bookworm-updates" "debian-security bookworm-security" ||
  { echo "static_libraries: without the security archive, which has not all of them" >&3; sources "debian bookworm" "debian bookworm-updates"; }

export CFLAGS="-O2 -ffile-prefix-map=$work=." CXXFLAGS="-O2 -ffile-prefix-map=$work=." LC_ALL=C TZ=UTC ZERO_AR_DATE=1
jobs=$(nproc)

installed() {  # PACKAGE FOLDER: notes version and licences of a source package
  cp "$2/debian/copyright" "$folder/licences/$1"
  dpkg-parsechangelog -l "$2/debian/changelog" -S Version >"$folder/licences/$1.version"
}

# HTTP and HTTPS only, so that neither LDAP, Kerberos, SSH nor libraries under the LGPL come along.
curl=$(echo "$work"/curl-*/)
cmake -G Ninja -S "$curl" -B "$work/curl" -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX="$folder" -DCMAKE_INSTALL_LIBDIR=lib \
  -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF -DHTTP_ONLY=ON -DCURL_USE_OPENSSL=ON \
  -DUSE_NGHTTP2=ON -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF -DCURL_USE_GSSAPI=OFF -DCURL_BROTLI=OFF \
  -DCURL_ZSTD=OFF -DCURL_ZLIB=OFF -DCURL_DISABLE_LDAP=ON -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_CA_FALLBACK=ON
cmake --build "$work/curl" --parallel "$jobs"
cmake --install "$work/curl"
installed curl "$curl"

# The client's library alone.
postgresql=$(echo "$work"/postgresql-15-*/)
(
  cd "$postgresql"
  ./configure --prefix=/usr --sysconfdir=/etc/postgresql-common --without-readline --without-zlib --without-icu --with-ssl=openssl
  make -C src/backend generated-headers
  make -j"$jobs" -C src/common all
  make -j"$jobs" -C src/port all
  make -j"$jobs" -C src/interfaces/libpq libpq.a
  cp src/interfaces/libpq/libpq.a src/common/libpgcommon_shlib.a src/port/libpgport_shlib.a "$folder/lib"
  cp src/interfaces/libpq/libpq-fe.h src/include/postgres_ext.h src/include/pg_config_ext.h "$folder/include"
)
installed postgresql-15 "$postgresql"

isal=$(echo "$work"/libisal-*/)
(
  cd "$isal"
  make -j"$jobs" -f Makefile.unx lib
  mkdir -p "$folder/include/isa-l"
  cp include/*.h "$folder/include/isa-l"
  cp bin/isa-l.a "$folder/lib/libisal.a"
)
installed libisal "$isal"

fmt=$(echo "$work"/fmtlib-*/)
c++ -std=c++20 $CXXFLAGS -I "$fmt/include" -c "$fmt/src/format.cc" -o "$work/format.o"
ar rcsD "$folder/lib/libfmt.a" "$work/format.o"
cp -r "$fmt/include/fmt" "$folder/include"
installed fmtlib "$fmt"

rm -rf "$work"
touch "$folder/complete"
