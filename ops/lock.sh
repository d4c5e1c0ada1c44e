#!/usr/bin/env bash
# Compiles the hash-pinned requirement files from pyproject.toml. Arguments go to uv (--upgrade).
set -eu -o pipefail
cd "$(dirname "$0")/.."
compile() { # EXTRA OUTPUT [OPTION...]
  local extra=$1 output=$2
  shift 2
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-annotate --no-header --no-emit-package vouchers \
    --extra "$extra" --output-file "$output" "$@" pyproject.toml
}
compile dev requirements-dev.txt "$@"
for pair in "api requirements.txt" "listener listener_fn/requirements.txt" "vps ops/requirements.txt"; do
  read -r extra output <<<"$pair"
  compile "$extra" "$output" --constraint requirements-dev.txt
done
