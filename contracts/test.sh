#!/bin/sh
# Runs forge (default: `forge test`) on this directory with the binaries that npm installed, offline.
#   contracts/test.sh                      every test, and the gas snapshot
#   contracts/test.sh test --match-test X  some
#   contracts/test.sh build --sizes        any other forge command
# Exits non-zero when forge does. The npm wrappers do not, so the platform's binary is called itself.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
modules=$(dirname -- "$here")/node_modules

fail() {
    echo "contracts/test.sh: $1" >&2
    exit 2
}

case "$(uname -s)" in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) fail "no forge for $(uname -s): use Linux, macOS or WSL" ;;
esac
case "$(uname -m)" in
    x86_64 | amd64) machine=amd64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "no forge for a $(uname -m) processor" ;;
esac
forge=$modules/@foundry-rs/forge-$system-$machine/bin/forge

command -v node >/dev/null || fail "node is missing: install Node.js 20 or newer"
for needed in "$forge" "$modules/solc/package.json" "$modules/@openzeppelin/contracts/package.json"; do
    [ -e "$needed" ] || fail "$needed is missing: run \`npm ci --ignore-scripts\` in the repository"
done

cd "$here"
[ $# -gt 0 ] || set -- test
exec env FOUNDRY_REMAPPINGS="@openzeppelin/=$modules/@openzeppelin/" "$forge" "$@"
