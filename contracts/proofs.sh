#!/bin/sh
# The slow checks of the voucher contract, offline once installed.
#   contracts/proofs.sh halmos [PROOF]   symbolic proofs: all, or those whose name starts with PROOF
#   contracts/proofs.sh faults [PROOF]   plants a fault for each proof and expects the proof to fail
#   contracts/proofs.sh slither          static analysis: no finding but the accepted ones
#   contracts/proofs.sh coverage         lines, branches and functions that the tests reach
#   contracts/proofs.sh all              halmos, slither, coverage
#   contracts/proofs.sh lock [--upgrade] pins proofs/requirements.in, with hashes
# Exits non-zero when a check fails, halmos meets a time limit or bound, or something is missing.
# The provers get a Python environment of their own, .local/proofs/venv, on first use.
set -eu
contracts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
repository=$(dirname -- "$contracts")
state=$repository/.local/proofs
venv=$state/venv
requirements=$contracts/proofs/requirements.txt
coverage_minimum=100 # percent of src/FiveSOfficeVouchers.sol: lines, branches, functions

fail() {
    echo "contracts/proofs.sh: $1" >&2
    exit 1
}

usage() {
    sed -n 's/^# \{0,1\}//; 2,9p' "$0"
}

# The environment of halmos and slither, and a `forge` for both that is test.sh's.
set_up() {
    python=$repository/.venv/bin/python
    [ -x "$python" ] || fail "$python is missing: run \`make setup\` in the repository"
    mkdir -p "$state/bin"
    if ! cmp -s "$requirements" "$venv/installed.txt"; then
        echo "installing halmos and slither in $venv" >&2
        "$python" -m venv --clear "$venv" || fail "cannot make a Python environment in $venv"
        "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --require-hashes \
            -r "$requirements" || fail "pip could not install $requirements"
        cp "$requirements" "$venv/installed.txt"
    fi
    # halmos and slither call whatever `forge` is on the path.
    printf '#!/bin/sh\nexec "$VOUCHER_CONTRACTS/test.sh" "$@"\n' >"$state/bin/forge"
    chmod +x "$state/bin/forge"
    PATH=$state/bin:$venv/bin:$contracts/proofs:$PATH
    export PATH FOUNDRY_PROFILE=proofs VOUCHER_CONTRACTS="$contracts"
}

# run_halmos DIRECTORY NAME-PREFIX [OPTION...]: the proofs in a copy of this directory.
run_halmos() {
    directory=$1 prefix=$2
    shift 2
    VOUCHER_CONTRACTS=$directory "$venv/bin/halmos" --root "$directory" --contract VoucherProofs --no-status \
        --config "$contracts/proofs/halmos.toml" --forge-build-out ../.local/proofs/out \
        --function "$prefix" "$@"
}

halmos() {
    prefix=${1:-check_}
    set_up
    log=$state/halmos.log
    expected=$(grep -c "^    function $prefix" "$contracts/proofs/VoucherProofs.t.sol") ||
        fail "no proof is named $prefix..."
    status=0
    { run_halmos "$contracts" "$prefix" 2>&1 || echo "HALMOS FAILED"; } | tee "$log"
    grep -q "HALMOS FAILED" "$log" && status=1
    # A warning tells that not every path was explored.
    grep -q "WARNING" "$log" && status=1
    passed=$(grep -c "\[PASS\]" "$log") || status=1
    [ "$passed" = "$expected" ] || status=1
    [ "$status" = 0 ] || fail "halmos: not every proof passed without a warning ($passed of $expected)"
    echo "halmos: $passed proofs passed"
}

faults() {
    only=${1:-}
    set_up
    copy=$state/faulty
    survivors=0
    rm -rf "$copy"
    mkdir -p "$copy/contracts"
    ln -s "$repository/node_modules" "$copy/node_modules"
    cp -R "$contracts/proofs" "$contracts/foundry.toml" "$contracts/solc-shim.mjs" "$contracts/test.sh" \
        "$copy/contracts"
    while IFS="$(printf '\t')" read -r proof script; do
        case "$proof" in \#*) continue ;; "$only"*) ;; *) continue ;; esac
        rm -rf "$copy/contracts/src"
        cp -R "$contracts/src" "$copy/contracts/src"
        sed "$script" "$contracts/src/FiveSOfficeVouchers.sol" >"$copy/contracts/src/FiveSOfficeVouchers.sol"
        if cmp -s "$contracts/src/FiveSOfficeVouchers.sol" "$copy/contracts/src/FiveSOfficeVouchers.sol"; then
            fail "the fault for $proof changes nothing: mend proofs/faults.tsv"
        fi
        run_halmos "$copy/contracts" "$proof" --early-exit >"$state/fault.log" 2>&1 || true
        if grep -q "\[FAIL\].* $proof(" "$state/fault.log" && grep -q "Counterexample" "$state/fault.log"; then
            echo "caught by $proof: $script"
        else
            echo "NOT CAUGHT by $proof: $script"
            survivors=$((survivors + 1))
        fi
    done <"$contracts/proofs/faults.tsv"
    for proof in $(sed -n 's/^    function \(check_[A-Za-z_]*\).*/\1/p' "$contracts/proofs/VoucherProofs.t.sol"); do
        grep -q "^$proof	" "$contracts/proofs/faults.tsv" || fail "no fault is planted for $proof"
    done
    [ "$survivors" = 0 ] || fail "$survivors planted faults were not caught"
}

slither() {
    set_up
    build=$state/slither
    rm -rf "$build"
    mkdir -p "$build"
    "$contracts/test.sh" build --force --build-info --skip "proofs/**" \
        --out "$build/out" --build-info-path "$build/build-info" --cache-path "$build/cache"
    cd "$contracts"
    # `pragma` lists the version ranges of OpenZeppelin's files.
    "$venv/bin/slither" . --compile-force-framework foundry --foundry-ignore-compile \
        --foundry-out-directory "$build/out" --foundry-build-info-directory "$build/build-info" \
        --exclude-dependencies --exclude pragma --fail-none --json "$build/findings.json" \
        >"$build/slither.log" 2>&1 || { cat "$build/slither.log" >&2; fail "slither did not run"; }
    "$venv/bin/python" proofs/slither_findings.py "$build/findings.json" proofs/slither_accepted.json
}

coverage() {
    report=$state/coverage
    mkdir -p "$report"
    # Not the gas and bytecode tests: instrumented code is neither as small nor as cheap.
    FOUNDRY_PROFILE=default FOUNDRY_OUT=$report/out FOUNDRY_CACHE_PATH=$report/cache \
        "$contracts/test.sh" coverage --no-match-contract 'GasTest|ArtifactTest|SizeTest' \
        --report lcov --report-file "$report/lcov.info" >"$report/forge.log" 2>&1 ||
        { tail -n 40 "$report/forge.log" >&2; fail "forge coverage failed"; }
    awk -F: -v minimum="$coverage_minimum" '
        $1 == "SF" { ours = $2 == "src/FiveSOfficeVouchers.sol" }
        ours && /^(LF|LH|BRF|BRH|FNF|FNH):/ { count[$1] = $2 }
        ours && /^DA:/ { split($2, hit, ","); if (hit[2] == 0) print "line " hit[1] " is not reached" }
        function judge(name, found, reached) {
            if (found == 0) { print "coverage: no " name " found"; low = 1; return }
            printf "coverage: %d of %d %s\n", reached, found, name
            if (100 * reached < minimum * found) low = 1
        }
        END {
            judge("lines", count["LF"], count["LH"])
            judge("branches", count["BRF"], count["BRH"])
            judge("functions", count["FNF"], count["FNH"])
            exit low
        }' "$report/lcov.info" || fail "coverage is below $coverage_minimum percent"
}

lock() {
    "$repository/.venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
        --output-file "$requirements" "$@" "$contracts/proofs/requirements.in"
}

command=${1:-help}
[ $# -eq 0 ] || shift
case "$command" in
    halmos | faults | slither | coverage | lock) "$command" "$@" ;;
    all) halmos; slither; coverage ;;
    help | -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
esac
