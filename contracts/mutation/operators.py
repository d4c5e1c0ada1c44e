"""The mutants of a contract: small faults, each made at a node of the compiler's syntax tree.

The operators are those of gambit (Certora) and the sufficient relational operators of Kaminski,
Ammann and Offutt ("Improving logic-based testing", 2013), with some for what this contract is made
of: modifiers, roles, events, struct fields, hashes. Declarations keep their shape, so the tests
compile against every mutant.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

Node = dict[str, Any]

SIGNATURE = re.compile(r"function \(([^)]*)\)")
INTEGER = re.compile(r"u?int\d+$|int_const ")
COMMENT = re.compile(r"(?<!\S)//.*")
# In the place of a statement, also of one that is all that an `if` does.
NOTHING = "{}"
RELATIONAL = {
    # Every other operator is caught by whatever catches these three.
    "<": ("<=", "!=", "false"),
    "<=": ("<", "==", "true"),
    ">": (">=", "!=", "false"),
    ">=": (">", "==", "true"),
    "==": ("<=", ">=", "false"),
    "!=": ("<", ">", "true"),
}
ARITHMETIC = {"+": "-*", "-": "+*", "*": "+/", "/": "*-"}
LOGICAL = {"&&": "||", "||": "&&"}
CONTEXT = {"msg.sender": "tx.origin", "block.timestamp": "block.number"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: the bytes from `start` to `end` of the source become `replacement`.

    `function` is the function, or the constant, in which it lies. `occurrence` counts from 1 the
    mutants that are otherwise alike, in source order.
    """

    operator: str
    function: str
    original: str
    replacement: str
    start: int
    end: int
    occurrence: int = 1

    @property
    def id(self) -> str:
        """A name that stays when lines move: operator, function, change."""
        count = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.operator} in {self.function}: {self.change}{count}"

    @property
    def change(self) -> str:
        """The source before and after, on one line."""
        return f"{_on_one_line(self.original)} => {_on_one_line(self.replacement)}"

    def applied_to(self, source: bytes) -> bytes:
        """The source with this fault."""
        return source[: self.start] + self.replacement.encode() + source[self.end :]


def mutants_of(source: bytes, tree: Node, contract: str) -> list[Mutant]:
    """All mutants of `contract` in `source`, in source order, no two with the same text.

    `tree` is the syntax tree of the source unit as solc's standard JSON output has it.
    """
    definition = next(
        node
        for node in tree["nodes"]
        if node["nodeType"] == "ContractDefinition" and node["name"] == contract
    )
    found = _Mutator(source, definition).mutants()
    texts: set[bytes] = set()
    names: Counter[str] = Counter()
    distinct = []
    for mutant in sorted(found, key=lambda each: (each.start, each.end)):
        text = mutant.applied_to(source)
        if text in texts:
            continue
        texts.add(text)
        names[mutant.id] += 1
        distinct.append(replace(mutant, occurrence=names[mutant.id]))
    return distinct


def _on_one_line(text: str) -> str:
    code = " ".join(COMMENT.sub("", text).split())
    return "(nothing)" if code in {"", NOTHING} else code


def _children(node: Node) -> Iterator[Node]:
    for value in node.values():
        if isinstance(value, dict) and "nodeType" in value:
            yield value
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, dict) and "nodeType" in each)


def _descendants(node: Node) -> Iterator[Node]:
    yield node
    for child in _children(node):
        yield from _descendants(child)


def _type(node: Node) -> str:
    return str(node.get("typeDescriptions", {}).get("typeString", ""))


def _is_integer(node: Node) -> bool:
    return bool(INTEGER.match(_type(node)))


def _exchangeable(call: Node) -> Iterator[tuple[Node, Node]]:
    """Neighbours among a call's arguments that are converted to one type; for `abi.encode`, all."""
    signature = SIGNATURE.match(_type(call["expression"]))
    if not signature:
        return
    parameters = signature[1].split(",") if signature[1] else [""] * len(call["arguments"])
    for (first, one), (second, other) in pairwise(zip(call["arguments"], parameters, strict=True)):
        if one == other:
            yield first, second


class _Mutator:
    """Collects the mutants of one contract."""

    def __init__(self, source: bytes, contract: Node) -> None:
        self._source = source
        self._contract = contract
        self._found: list[Mutant] = []
        self._function = ""
        self._bytes_literals: set[int] = set()
        members = contract["nodes"]
        self._roles = [each["name"] for each in members if each.get("name", "").endswith("_ROLE")]
        self._fields = {
            field["id"]: [other["name"] for other in struct["members"] if _same(other, field)]
            for struct in members
            if struct["nodeType"] == "StructDefinition"
            for field in struct["members"]
        }
        functions = [each for each in members if each["nodeType"] == "FunctionDefinition"]
        self._twins = {
            function["id"]: [other["name"] for other in functions if _twins(function, other)]
            for function in functions
        }
        self._by_kind: dict[str, Sequence[Callable[[Node], None]]] = {
            "Assignment": (self._assignment,),
            "BinaryOperation": (self._relational, self._boundary, self._arithmetic, self._logical),
            "Block": (self._swap_statements,),
            "EmitStatement": (self._remove_emit,),
            "ExpressionStatement": (self._remove_statement,),
            "FunctionCall": (self._swap_arguments, self._callee, self._narrow, self._unwrap),
            "FunctionDefinition": (self._remove_modifiers,),
            "Identifier": (self._role,),
            "IfStatement": (self._remove_if, self._negate_condition),
            "Literal": (self._constant,),
            "MemberAccess": (self._field, self._context),
            "Return": (self._returned,),
            "UnaryOperation": (self._unary,),
            "VariableDeclarationStatement": (self._initial_value,),
        }

    def mutants(self) -> list[Mutant]:
        """What all operators give."""
        for member in self._contract["nodes"]:
            mutable = member["nodeType"] in {"FunctionDefinition", "VariableDeclaration"}
            if not mutable:
                continue
            self._function = member["name"] or member["kind"]
            for node in _descendants(member):
                for operator in self._by_kind.get(node["nodeType"], ()):
                    operator(node)
        return self._found

    # ----------------------------------------------------------------------------- the source

    def _span(self, node: Node) -> tuple[int, int]:
        start, length, _ = (int(part) for part in node["src"].split(":"))
        end = start + length
        # The compiler leaves a statement's semicolon out of its node.
        if node["nodeType"].endswith("Statement") and self._source[end : end + 1] == b";":
            end += 1
        return start, end

    def _text(self, node: Node) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _add(self, operator: str, node: Node, replacement: str) -> None:
        start, end = self._span(node)
        self._add_range(operator, start, end, replacement)

    def _add_range(self, operator: str, start: int, end: int, replacement: str) -> None:
        original = self._source[start:end].decode()
        self._found.append(Mutant(operator, self._function, original, replacement, start, end))

    # ----------------------------------------------------------------------------- statements

    def _remove_statement(self, node: Node) -> None:
        expression = node["expression"]
        kind = "remove-call" if expression["nodeType"] == "FunctionCall" else "remove-assignment"
        # A loop does not compile without its step, nor a storage pointer without its target.
        step = not self._text(node).endswith(";")
        pointer = _type(expression.get("leftHandSide", {})).endswith("storage pointer")
        if not step and not pointer:
            self._add(kind, node, NOTHING)

    def _remove_emit(self, node: Node) -> None:
        self._add("remove-emit", node, NOTHING)

    def _remove_if(self, node: Node) -> None:
        self._add("remove-if", node, NOTHING)

    def _swap_statements(self, node: Node) -> None:
        plain = {"ExpressionStatement", "EmitStatement"}
        for first, second in pairwise(node["statements"]):
            if first["nodeType"] in plain and second["nodeType"] in plain:
                start, end = self._span(first)[0], self._span(second)[1]
                swapped = f"{self._text(second)} {self._text(first)}"
                self._add_range("swap-statements", start, end, swapped)

    def _initial_value(self, node: Node) -> None:
        declared = node["declarations"]
        value = node.get("initialValue")
        if value and len(declared) == 1 and declared[0]["storageLocation"] == "default":
            self._add("drop-initial-value", node, f"{self._text(declared[0])};")

    def _remove_modifiers(self, node: Node) -> None:
        if node["kind"] == "constructor":
            return
        for modifier in node["modifiers"]:
            self._add("remove-modifier", modifier, "")

    def _returned(self, node: Node) -> None:
        value = node.get("expression")
        if not value or value["nodeType"] == "Literal":
            return
        text = self._text(value)
        if _type(value) == "bool":
            self._add("change-return", value, f"!({text})")
        elif _is_integer(value):
            self._add("change-return", value, "0")
            self._add("change-return", value, f"{text} + 1")
        elif _type(value) == "bytes32":
            self._add("change-return", value, "bytes32(0)")

    # ---------------------------------------------------------------------------- expressions

    def _negate_condition(self, node: Node) -> None:
        condition = node["condition"]
        if condition.get("operator") != "!":  # drop-negation does those
            self._add("negate-condition", condition, f"!({self._text(condition)})")

    def _relational(self, node: Node) -> None:
        if node["commonType"]["typeString"].startswith("bytes"):
            self._bytes_literals.add(node["rightExpression"]["id"])
        left, right = node["leftExpression"], node["rightExpression"]
        for operator in RELATIONAL.get(node["operator"], ()):
            if operator in {"true", "false"}:
                self._add("swap-relational", node, operator)
            # Nothing unsigned is below 0, so `<= 0` is the same condition as `== 0`.
            elif not (operator == "<=" and self._text(right) in {"0", "address(0)"}):
                changed = f"{self._text(left)} {operator} {self._text(right)}"
                self._add("swap-relational", node, changed)

    def _boundary(self, node: Node) -> None:
        right = node["rightExpression"]
        if node["operator"] in RELATIONAL and _is_integer(right) and right["nodeType"] != "Literal":
            self._add("shift-boundary", right, f"{self._text(right)} + 1")
            self._add("shift-boundary", right, f"{self._text(right)} - 1")

    def _arithmetic(self, node: Node) -> None:
        left, right = self._text(node["leftExpression"]), self._text(node["rightExpression"])
        for operator in ARITHMETIC.get(node["operator"], ""):
            self._add("swap-arithmetic", node, f"{left} {operator} {right}")

    def _logical(self, node: Node) -> None:
        if node["operator"] in LOGICAL:
            left, right = self._text(node["leftExpression"]), self._text(node["rightExpression"])
            self._add("swap-logical", node, f"{left} {LOGICAL[node['operator']]} {right}")
            self._add("drop-operand", node, left)
            self._add("drop-operand", node, right)

    def _assignment(self, node: Node) -> None:
        left, right = self._text(node["leftHandSide"]), self._text(node["rightHandSide"])
        others = {"+=": ("=", "-="), "-=": ("=", "+=")}
        for operator in others.get(node["operator"], ()):
            self._add("swap-assignment", node, f"{left} {operator} {right}")

    def _unary(self, node: Node) -> None:
        operand = self._text(node["subExpression"])
        if node["operator"] == "++":
            self._add("swap-arithmetic", node, f"--{operand}")
            self._add("swap-arithmetic", node, f"{operand}++")
        elif node["operator"] == "!":
            self._add("drop-negation", node, operand)

    def _swap_arguments(self, node: Node) -> None:
        for first, second in _exchangeable(node):
            (start, end), (again, last) = self._span(first), self._span(second)
            between = self._source[end:again].decode()
            swapped = f"{self._text(second)}{between}{self._text(first)}"
            self._add_range("swap-arguments", start, last, swapped)

    def _callee(self, node: Node) -> None:
        callee = node["expression"]
        for twin in self._twins.get(callee.get("referencedDeclaration"), ()):
            self._add("replace-callee", callee, twin)
        if self._text(callee) == "abi.encode":
            self._add("replace-callee", callee, "abi.encodePacked")

    def _narrow(self, node: Node) -> None:
        if node["kind"] == "typeConversion" and _type(node) == "uint64":
            argument = self._text(node["arguments"][0])
            self._add("narrow-conversion", node, f"uint64(uint32({argument}))")

    def _unwrap(self, node: Node) -> None:
        arguments = node["arguments"]
        same = len(arguments) == 1 and _type(arguments[0]) == _type(node) != ""
        if node["kind"] == "functionCall" and same:
            self._add("unwrap-call", node, self._text(arguments[0]))

    def _role(self, node: Node) -> None:
        if node["name"] in self._roles:
            for role in self._roles:
                if role != node["name"]:
                    self._add("replace-role", node, role)

    def _field(self, node: Node) -> None:
        for other in self._fields.get(node.get("referencedDeclaration"), ()):
            self._add("replace-field", node, f"{self._text(node['expression'])}.{other}")

    def _context(self, node: Node) -> None:
        text = self._text(node)
        if text in CONTEXT:
            self._add("replace-context", node, CONTEXT[text])

    def _constant(self, node: Node) -> None:
        kind, value = node["kind"], node["value"]
        if kind == "bool":
            self._add("change-constant", node, "false" if value == "true" else "true")
        elif kind == "string":
            self._add("change-constant", node, f'"{value}x"')
        elif kind == "number":
            unit = f" {node['subdenomination']}" if node.get("subdenomination") else ""
            for other in (int(value) + 1, int(value) - 1):
                text = f"{other}{unit}"
                if node["id"] in self._bytes_literals:
                    text = f"bytes32(uint256({text}))"
                if other >= 0:
                    self._add("change-constant", node, text)


def _same(one: Node, other: Node) -> bool:
    """Whether two declarations differ and have the same type."""
    return one["id"] != other["id"] and _type(one) == _type(other)


def _twins(one: Node, other: Node) -> bool:
    """Whether two functions differ, and each can be called in the other's place."""

    def shape(function: Node) -> list[object]:
        lists = (function[key]["parameters"] for key in ("parameters", "returnParameters"))
        return [
            function["visibility"],
            *([_type(each) for each in each_list] for each_list in lists),
        ]

    return one["id"] != other["id"] and shape(one) == shape(other)
