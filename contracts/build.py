#!/usr/bin/env python3
"""Compile the voucher contract and write, or check, its committed artefact.

    contracts/build.py            write contracts/abi/FiveSOfficeVouchers.json
    contracts/build.py --check    exit 1 if that file is not what the source compiles to

The artefact holds the ABI and bytecode that the listener, the API, the portal and the command
line share. Source names are relative and the compiler's metadata is off, so the same source gives
the same bytes on every machine. Compiler settings come from foundry.toml. Needs Node.js and
`npm ci --ignore-scripts`, and nothing of Python beyond the standard library.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

CONTRACT_NAME = "FiveSOfficeVouchers"
SOURCE_NAME = f"src/{CONTRACT_NAME}.sol"

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent / "node_modules"
ARTIFACT = HERE / "abi" / f"{CONTRACT_NAME}.json"
SOLC = HERE / "solc-shim.mjs"

IMPORT = re.compile(r"""^import\b[^;]*?["']([^"']+)["']\s*;""", re.MULTILINE)


class BuildError(Exception):
    """The artefact cannot be built, or is not the one committed; the message says why."""


def source_path(name: str) -> Path:
    """File of a source unit: packages live in node_modules, the rest here."""
    return (NODE_MODULES if name.startswith("@") else HERE) / name


def resolve(importer: str, target: str) -> str:
    """Source unit name of an import, as the Solidity compiler resolves it."""
    if not target.startswith("."):
        return target
    parts = importer.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def read_sources() -> dict[str, dict[str, str]]:
    """Content of the contract and of everything it imports, by source unit name."""
    sources: dict[str, dict[str, str]] = {}
    waiting = [SOURCE_NAME]
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        try:
            content = source_path(name).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise BuildError(
                f"{source_path(name)} is missing: run `npm ci --ignore-scripts` in the repository"
            ) from error
        sources[name] = {"content": content}
        waiting += [resolve(name, target) for target in IMPORT.findall(content)]
    return dict(sorted(sources.items()))


def compiler_settings() -> dict[str, Any]:
    """Settings of the compiler, without the choice of outputs, from foundry.toml."""
    config = tomllib.loads((HERE / "foundry.toml").read_text(encoding="utf-8"))
    profile = config["profile"]["default"]
    return {
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "evmVersion": profile["evm_version"],
        "metadata": {
            "bytecodeHash": profile["bytecode_hash"],
            "appendCBOR": profile["cbor_metadata"],
        },
    }


def run_solc(argument: str, given: str = "") -> str:
    """Output of the pinned compiler."""
    try:
        done = subprocess.run(
            ["node", SOLC, argument], input=given, capture_output=True, text=True, check=True
        )
    except FileNotFoundError as error:
        raise BuildError("node is missing: install Node.js 20 or newer") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(f"the Solidity compiler did not run:\n{error.stderr.strip()}") from error
    return done.stdout


def compiler_version() -> str:
    """Release and commit, as in 0.8.37+commit.f401782d; the build platform makes no difference."""
    found = re.search(r"Version: (\S+\+commit\.[0-9a-f]{8})", run_solc("--version"))
    if not found:
        raise BuildError("the Solidity compiler does not tell its version")
    return found[1]


def compile_artifact() -> dict[str, Any]:
    """The artefact that the source on disk gives.

    Raises BuildError, with the compiler's messages, on any error or warning.
    """
    settings = compiler_settings()
    standard_input = {
        "language": "Solidity",
        "sources": read_sources(),
        "settings": settings,
    }
    selection = {SOURCE_NAME: {CONTRACT_NAME: ["abi", "evm.bytecode", "evm.deployedBytecode"]}}
    request = {**standard_input, "settings": {**settings, "outputSelection": selection}}
    output = json.loads(run_solc("--standard-json", json.dumps(request)))
    if output.get("errors"):
        raise BuildError("\n".join(error["formattedMessage"] for error in output["errors"]))
    contract = output["contracts"][SOURCE_NAME][CONTRACT_NAME]
    deployed = contract["evm"]["deployedBytecode"]
    canonical = json.dumps(standard_input, sort_keys=True, separators=(",", ":"))
    return {
        "contractName": CONTRACT_NAME,
        "compiler": {
            "version": compiler_version(),
            "settings": settings,
        },
        "sourceHash": "sha256:" + hashlib.sha256(canonical.encode()).hexdigest(),
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": deployed["immutableReferences"],
    }


def check(artifact: dict[str, Any]) -> None:
    """Raise BuildError, naming the keys that differ, unless `artifact` is the committed one."""
    remedy = "run contracts/build.py and commit the result"
    if not ARTIFACT.exists():
        raise BuildError(f"{ARTIFACT} is missing: {remedy}")
    try:
        committed = json.loads(ARTIFACT.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BuildError(f"{ARTIFACT} is not JSON ({error}): {remedy}") from error
    keys = artifact.keys() | committed.keys()
    different = sorted(key for key in keys if artifact.get(key) != committed.get(key))
    if different:
        raise BuildError(
            f"{ARTIFACT} is not what {SOURCE_NAME} compiles to "
            f"(different: {', '.join(different)}): {remedy}"
        )


def main() -> int:
    """Write or check the artefact; 0 when done, 1 with one message on stderr when not."""
    parser = argparse.ArgumentParser(description="Build the voucher contract's committed artefact.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    arguments = parser.parse_args()
    try:
        artifact = compile_artifact()
        if arguments.check:
            check(artifact)
        else:
            ARTIFACT.parent.mkdir(exist_ok=True)
            ARTIFACT.write_text(json.dumps(artifact, indent=2) + "\n", encoding="utf-8")
    except BuildError as error:
        print(f"contracts/build.py: {error}", file=sys.stderr)
        return 1
    print(f"{ARTIFACT.name}: {'up to date' if arguments.check else 'written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
