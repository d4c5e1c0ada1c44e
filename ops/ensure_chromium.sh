#!/usr/bin/env bash
# Makes sure a Chromium is there for the browser tests; installs Debian's where it may.
set -eu -o pipefail
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if ! command -v apt-get >/dev/null; then
  echo "Chromium is missing, and this system has no apt-get: install Chromium and try again." >&2
  exit 1
fi
root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "Chromium is missing: run 'sudo apt-get install chromium' and try again." >&2
    exit 1
  fi
  root="sudo"
fi
echo "→ Chromium for the browser tests"
mkdir -p .local
{ $root apt-get update && DEBIAN_FRONTEND=noninteractive $root apt-get install -y --no-install-recommends chromium; } \
  >.local/chromium.log 2>&1 || { tail -n 20 .local/chromium.log >&2; exit 1; }
