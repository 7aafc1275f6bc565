"""Programs about more than numbers: the topics of a program decide what its statements and expressions are about."""

from __future__ import annotations

import random

from tests.fuzz.handlers import GATE, Handlers
from tests.fuzz.items import Items
from tests.fuzz.nested import Nested
from tests.fuzz.patterns import POINT, Patterns
from tests.fuzz.scope import Scope, Type
from tests.fuzz.things import CLASSES, KEPT, Things
from tests.fuzz.uncommon import PICKED, Uncommon

TOPICS = ["items", "items", "handlers", "handlers", "nested", "things", "patterns", "uncommon"]


def some_topics(rng: random.Random) -> frozenset[str]:
    """What a program is about besides numbers."""
    return frozenset(rng.sample(TOPICS, rng.choice([1, 1, 2, 2, 3])))


def prelude(rng: random.Random, topics: frozenset[str]) -> list[str]:
    """What stands in front of the functions."""
    lines: list[str] = []
    if "handlers" in topics:
        lines += ["", "", *GATE]
    if "patterns" in topics:
        lines += ["", "", *POINT]
    if "uncommon" in topics:
        lines += ["", "", *PICKED]
    if "things" in topics:
        native = rng.random() < 0.5
        lines += ["", "", *(with_native_methods(rng, CLASSES) if native else CLASSES), "", "", *KEPT]
    return lines


def with_native_methods(rng: random.Random, lines: list[str]) -> list[str]:
    """Some methods are compiled: those that no decorator is about already."""
    found: list[str] = []
    for line in lines:
        if line.startswith("    def ") and not found[-1].lstrip().startswith("@") and rng.random() < 0.4:
            found.append("    @jit")
        found.append(line)
    return found


class Rich(Items, Handlers, Nested, Things, Patterns, Uncommon):
    """Makes the body of one function about the program's topics."""

    topics: frozenset[str] = frozenset()

    def start(self, scope: Scope, result: Type) -> None:
        super().start(scope, result)
        self.classes = "things" in self.topics
        self.parameters = frozenset(scope.types)
        self.start_handlers()
        self.start_nested()
        self.start_patterns()
        self.start_uncommon()

    def statement(self, depth: int) -> bool:
        if self.topics and self.rng.random() < 0.5:
            match self.rng.choice(sorted(self.topics)):
                case "items":
                    return self.about_items(depth)
                case "handlers":
                    return self.about_handlers(depth)
                case "nested":
                    return self.about_nested(depth)
                case "things":
                    return self.about_things()
                case "patterns":
                    return self.about_patterns(depth)
                case "uncommon":
                    return self.about_uncommon(depth)
        return super().statement(depth)

    def of(self, kind: Type, depth: int) -> str:
        return self.thing() if kind == "thing" else super().of(kind, depth)

    def integer(self, depth: int) -> str:
        if self.topics and depth >= 0 and self.rng.random() < (0.3 if depth else 0.1):
            text = self.int_of_topics(depth)
            if text:
                return text
        return super().integer(depth)

    def int_of_topics(self, depth: int) -> str | None:
        match self.rng.choice(sorted(self.topics)):
            case "items":
                return self.int_of_items()
            case "nested" if depth > 0:
                return self.int_of_nested(depth - 1)
            case "things":
                return self.int_of_things()
        return None

    def real(self, depth: int) -> str:
        text = self.real_of_items() if "items" in self.topics and self.rng.random() < 0.25 else None
        return text or super().real(depth)

    def truth(self, depth: int) -> str:
        if depth > 0 and self.rng.random() < 0.2:
            text = self.truth_of_items() if "items" in self.topics else None
            if text is None and self.classes:
                text = self.truth_of_things()
            if text:
                return text
        return super().truth(depth)
