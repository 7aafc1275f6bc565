"""Makes a diverging program small: fewer calls, functions, statements, smaller expressions.

Each candidate is run in a worker of its own kind; one that still diverges in the same way takes the place of the
program. What is left is printed as a case for `tests/cases/run`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

from tests.fuzz.generate import Program
from tests.fuzz.pool import Worker

MOST_TRIES = 1500
SMALL = [ast.Constant(0), ast.Constant(1), ast.Constant(1.5), ast.Constant(True), ast.Constant(None)]


def kind(found: dict[str, Any] | None) -> object:
    """What makes two divergences the same bug, as far as can be told."""
    if found is None:
        return None
    if "death" in found:
        # A program that no longer loads ends its worker, too, but by itself.
        death = str(found["death"])
        return death if death == "hang" or death.startswith("exit") else "signal"
    sides = []
    for side in (found["plain"], found["compiled"]):
        raised = side.get("raised")
        sides.append(("raised", raised[0]) if raised else next(iter(side)))
    return tuple(sides)


class Shrinker:
    """Holds the smallest program so far."""

    def __init__(self, given: Program, found: dict[str, Any], environment: dict[str, str]) -> None:
        self.worker = Worker(environment)
        self.seed = given.seed
        self.tree = ast.parse(given.module)
        self.calls = list(given.calls)
        self.kind = kind(found)
        self.found = found
        self.tries = 0

    def diverges(self, tree: ast.Module, calls: list[str]) -> bool:
        """Whether the candidate shows the same bug; it becomes the program if so."""
        if self.tries >= MOST_TRIES:
            return False
        self.tries += 1
        try:
            module = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
            compile(module, "candidate", "exec")
        except (SyntaxError, ValueError):
            return False
        found = self.worker.ask({"seed": self.seed, "module": module, "calls": calls})["found"]
        if found is None or kind(found) != self.kind:
            return False
        self.tree, self.calls, self.found = ast.parse(module), calls, found
        return True

    def shrink(self) -> bool:
        """To a fixed point; false when the program does not diverge by itself."""
        if not self.diverges(self.tree, self.calls):
            return False
        while True:
            before = ast.dump(self.tree), len(self.calls)
            self.shrink_calls()
            for candidates in (fewer_statements, smaller_expressions):
                self.exhaust(candidates)
            if (ast.dump(self.tree), len(self.calls)) == before or self.tries >= MOST_TRIES:
                break
        self.worker.close()
        return True

    def shrink_calls(self) -> None:
        size = max(len(self.calls) // 2, 1)
        while size:
            start = 0
            while start < len(self.calls):
                rest = self.calls[:start] + self.calls[start + size :]
                if not (rest and self.diverges(self.tree, rest)):
                    start += size
            size //= 2

    def exhaust(self, candidates: Any) -> None:
        """Tries candidates from where the last one was taken, so that a pass over a program is linear."""
        position = 0
        while True:
            candidate = next(candidates(self.tree, position), None)
            if candidate is None:
                return
            if not self.diverges(candidate, self.calls):
                position += 1


def bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                yield statements


def fewer_statements(tree: ast.Module, position: int) -> Iterator[ast.Module]:
    """The program with one statement less, or with a compound one replaced by what is in it."""
    for body_number, body in enumerate(bodies(tree)):
        for index, statement in enumerate(body):
            keeps = isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass))
            for way in ("drop", "unwrap", "unwrap else"):
                part = getattr(statement, "orelse" if way == "unwrap else" else "body", None)
                if keeps or (
                    way != "drop" and (isinstance(statement, ast.FunctionDef) or not isinstance(part, list) or not part)
                ):
                    continue
                position -= 1
                if position >= 0:
                    continue
                changed = copy.deepcopy(tree)
                target = list(bodies(changed))[body_number]
                inside = [] if way == "drop" else getattr(target[index], "orelse" if way == "unwrap else" else "body")
                target[index : index + 1] = inside
                if not target and target is not changed.body and body_is_required(changed, target):
                    target.append(ast.Pass())
                yield changed


def body_is_required(tree: ast.AST, body: list[ast.stmt]) -> bool:
    return any(getattr(node, "body", None) is body for node in ast.walk(tree))


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    """Every expression that is read, with where it stands; annotations and callees are left alone."""
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if name in (
                "annotation",
                "returns",
                "decorator_list",
                "func",
                "keywords",
                "target",
                "targets",
                "defaults",
                "kw_defaults",
            ):
                continue
            for index, item in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(item, ast.expr):
                    yield node, name, index if isinstance(value, list) else None, item


def smaller(expression: ast.expr) -> list[ast.expr]:
    """What may stand for an expression: its parts first, then small constants."""
    parts = [part for part in ast.iter_child_nodes(expression) if isinstance(part, ast.expr)]
    if isinstance(expression, ast.Call):
        parts = list(expression.args)
    if isinstance(expression, (ast.Name, ast.Constant)):
        parts = []
    if isinstance(expression, ast.Constant) and expression.value in (0, 1, None):
        return []
    return [*parts, *SMALL]


def smaller_expressions(tree: ast.Module, position: int) -> Iterator[ast.Module]:
    """The program with one expression replaced by a smaller one."""
    for number, (_, _, _, expression) in enumerate(places(tree)):
        choices = smaller(expression)
        if position >= len(choices):
            position -= len(choices)
            continue
        for choice in range(position, len(choices)):
            changed = copy.deepcopy(tree)
            node, name, index, found = list(places(changed))[number]
            value = smaller(found)[choice]
            if index is None:
                setattr(node, name, value)
            else:
                getattr(node, name)[index] = value
            yield changed
        position = 0


def case(given: Program, found: dict[str, Any], environment: dict[str, str] | None = None) -> str:
    """The smallest diverging program that was found, as a case with a `main`."""
    shrinker = Shrinker(given, found, environment or {})
    if not shrinker.shrink():
        return f"# seed {given.seed}: diverges only after other programs\n"
    names = [node.name for node in shrinker.tree.body if isinstance(node, ast.FunctionDef)]
    lines = [f'"""Found by the generator, seed {given.seed}."""', f"# native: {', '.join(names)}", ""]
    for statement in shrinker.tree.body:
        if isinstance(statement, ast.FunctionDef):
            lines += ["", ""]
        lines.append(ast.unparse(statement))
        if isinstance(statement, ast.ImportFrom):
            lines.append("from support import show")
    lines += ["", "", "def main():"]
    for call in shrinker.calls:
        parsed = ast.parse(call).body[0]
        if isinstance(parsed, ast.Expr) and isinstance(parsed.value, ast.Call):
            arguments = ast.unparse(parsed.value).split("(", 1)[1]
            lines.append(f"    show({ast.unparse(parsed.value.func)}{', ' if arguments != ')' else ''}{arguments}")
        else:
            lines.append(f"    globals()[{call.split(' = ')[0]!r}] = {call.split(' = ')[1]}")
    told = "\n".join(f"#   {name}: {value}" for name, value in shrinker.found.items())
    return "\n".join(lines) + f"\n\n\n# {shrinker.tries} tries:\n{told}\n"
