#!/usr/bin/env python3
"""Compile the voucher contract and write, or check, its committed artefact.

    contracts/build.py            write contracts/abi/FiveSOfficeVouchers.json
    contracts/build.py --check    exit 1 if that file is not what the source compiles to
    contracts/build.py --standard-json [FILE]
                                  write what block explorers take to verify the contract: the
                                  compiler's standard-JSON input, every source included

The artefact holds the ABI and bytecode that the listener, the API, the portal and the command
line share. Source names are relative and the compiler's metadata is off, so the same source gives
the same bytes on every machine. Compiler settings come from foundry.toml. Needs Node.js and
`npm ci --ignore-scripts`, and nothing of Python beyond the standard library.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

CONTRACT_NAME = "FiveSOfficeVouchers"
SOURCE_NAME = f"src/{CONTRACT_NAME}.sol"

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent / "node_modules"
OUTPUTS = NODE_MODULES / ".cache" / "solc"
ARTIFACT = HERE / "abi" / f"{CONTRACT_NAME}.json"
STANDARD_JSON = HERE.parent / ".local" / f"{CONTRACT_NAME}.standard.json"
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


def read_sources(root: str = SOURCE_NAME) -> dict[str, dict[str, str]]:
    """Content of the source unit `root` and of everything it imports, by source unit name."""
    sources: dict[str, dict[str, str]] = {}
    waiting = [root]
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


def compile_standard_json(request: dict[str, Any]) -> dict[str, Any]:
    """The compiler's standard-JSON output for an input that holds every source it names.

    Input and compiler decide it wholly, and it takes seconds to make, so it is kept beside the
    compiler, under a hash of both, for whoever asks for the same again.
    """
    given = json.dumps(request)
    decides = f"{compiler_version()}\n{given}"
    kept = OUTPUTS / f"{hashlib.sha256(decides.encode()).hexdigest()}.json"
    if not kept.exists():
        _keep(run_solc("--standard-json", given), kept)
    output: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return output


def _keep(text: str, path: Path) -> None:
    """Write a file as a whole: another process that looks for it sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


def compiler_version() -> str:
    """Release and commit, as in 0.8.37+commit.f401782d; the build platform makes no difference."""
    found = re.search(r"Version: (\S+\+commit\.[0-9a-f]{8})", run_solc("--version"))
    if not found:
        raise BuildError("the Solidity compiler does not tell its version")
    return found[1]


def read_input() -> dict[str, Any]:
    """What decides the bytecode: every source and the settings, without the choice of outputs."""
    return {
        "language": "Solidity",
        "sources": read_sources(),
        "settings": compiler_settings(),
    }


def select_outputs(given: dict[str, Any]) -> dict[str, Any]:
    """The compiler's standard-JSON input that makes ABI and bytecode of the contract from `given`.

    It names every source and needs no other file, so explorers can compile it as it stands.
    """
    selection = {SOURCE_NAME: {CONTRACT_NAME: ["abi", "evm.bytecode", "evm.deployedBytecode"]}}
    return {**given, "settings": {**given["settings"], "outputSelection": selection}}


def compile_artifact(given: dict[str, Any]) -> dict[str, Any]:
    """The artefact that `read_input` gives.

    Raises BuildError, with the compiler's messages, on any error or warning.
    """
    output = compile_standard_json(select_outputs(given))
    if output.get("errors"):
        raise BuildError("\n".join(error["formattedMessage"] for error in output["errors"]))
    contract = output["contracts"][SOURCE_NAME][CONTRACT_NAME]
    deployed = contract["evm"]["deployedBytecode"]
    canonical = json.dumps(given, sort_keys=True, separators=(",", ":"))
    return {
        "contractName": CONTRACT_NAME,
        "compiler": {
            "version": compiler_version(),
            "settings": given["settings"],
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


def export_standard_json(given: dict[str, Any], artifact: dict[str, Any], path: Path) -> None:
    """Write the standard-JSON input, which has to compile to the committed artefact.

    Raises BuildError, and writes nothing, if it does not or the file cannot be written.
    """
    check(artifact)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(select_outputs(given), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BuildError(f"{path} cannot be written: {error.strerror}") from error


def run(arguments: argparse.Namespace) -> str:
    """Do what was asked for; what to tell about it."""
    given = read_input()
    artifact = compile_artifact(given)
    if arguments.check:
        check(artifact)
        return f"{ARTIFACT.name}: up to date"
    if arguments.standard_json:
        export_standard_json(given, artifact, arguments.standard_json)
        return f"{arguments.standard_json}: written, for solc {artifact['compiler']['version']}"
    ARTIFACT.parent.mkdir(exist_ok=True)
    ARTIFACT.write_text(json.dumps(artifact, indent=2) + "\n", encoding="utf-8")
    return f"{ARTIFACT.name}: written"


def main() -> int:
    """Run the command line; 0 when done, 1 with one message on stderr when not."""
    parser = argparse.ArgumentParser(description="Build the voucher contract's committed artefact.")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--check", action="store_true", help="compare only, write nothing")
    instead.add_argument(
        "--standard-json",
        metavar="FILE",
        nargs="?",
        const=STANDARD_JSON,
        type=Path,
        help="write what explorers take to verify the contract (default: %(const)s)",
    )
    try:
        print(run(parser.parse_args()))
    except BuildError as error:
        print(f"contracts/build.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
