"""The pinned Solidity compiler, on other texts of the contract's source."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import build

SERVER = Path(__file__).with_name("compiler.mjs")


class NotCompiled(Exception):
    """The compiler refuses a source text; the message is the compiler's."""


def syntax_tree(source: str) -> dict[str, Any]:
    """The compiler's syntax tree of the contract's source unit. Raises NotCompiled."""
    request = _request(build.read_sources(), source, {"outputSelection": _select({"": ["ast"]})})
    output = build.compile_standard_json(request)
    _refuse_errors(output)
    tree: dict[str, Any] = output["sources"][build.SOURCE_NAME]["ast"]
    return tree


class Compiler:
    """A compiler that stays loaded, for one thread; ends with `close`."""

    def __init__(self) -> None:
        self._imports = build.read_sources()
        self._server = subprocess.Popen(
            ["node", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def creation_code(self, source: str, settings: Mapping[str, Any] | None = None) -> str:
        """Creation bytecode, in hex without 0x, of the contract with this source text.

        `settings` are changes to the compiler's. Raises NotCompiled.
        """
        selection = _select({build.CONTRACT_NAME: ["evm.bytecode.object"]})
        changes = {**(settings or {}), "outputSelection": selection}
        if not self._server.stdin or not self._server.stdout:
            raise BrokenPipeError
        request = _request(self._imports, source, changes)
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        output = json.loads(self._server.stdout.readline())
        _refuse_errors(output)
        contract = output["contracts"][build.SOURCE_NAME][build.CONTRACT_NAME]
        return str(contract["evm"]["bytecode"]["object"])

    def close(self) -> None:
        """End the compiler's process."""
        self._server.communicate()


def _select(outputs: dict[str, list[str]]) -> dict[str, Any]:
    return {build.SOURCE_NAME: outputs}


def _request(
    imports: Mapping[str, Mapping[str, str]], source: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "language": "Solidity",
        "sources": {**imports, build.SOURCE_NAME: {"content": source}},
        "settings": {**build.compiler_settings(), **settings},
    }


def _refuse_errors(output: Mapping[str, Any]) -> None:
    errors = [each for each in output.get("errors", []) if each["severity"] == "error"]
    if errors:
        raise NotCompiled(errors[0]["formattedMessage"])
