"""Annotations that name ordinary classes: a class that passed is remembered, and forgotten when it changes."""

from __future__ import annotations

from typing import Any

import pytest

from castiron import TypeCheckError, typed

TIMES = 5


class Base:
    """What the annotations name."""


class Other:
    """Another layout-compatible class."""


@typed
def take(value: Base) -> Base:
    return value


@typed
def maybe(value: Base | None, other: Base | int = 0) -> Base | None:
    return value


@typed
class Linked:
    """Names itself before it is defined."""

    def __init__(self, after: Linked | None) -> None:
        self.after = after

    def follow(self, other: Linked) -> Linked | None:
        return other.after


def made(name: str, *bases: type) -> Any:
    return type(name, bases, {})


def test_instances_of_subclasses_pass_again_and_again() -> None:
    sub = made("Sub", Base)
    for _ in range(TIMES):
        assert isinstance(take(sub()), sub)
        assert maybe(None) is None
        assert isinstance(maybe(sub(), sub()), sub)
        with pytest.raises(TypeCheckError):
            take(Other())  # type: ignore[arg-type]


def test_a_class_that_loses_the_base_is_refused() -> None:
    sub = made("Sub", Base)
    value = sub()
    for _ in range(TIMES):
        take(value)
        maybe(value)
    sub.__bases__ = (Other,)
    for _ in range(TIMES):
        with pytest.raises(TypeCheckError):
            take(value)
        with pytest.raises(TypeCheckError):
            maybe(value)
    sub.__bases__ = (Base,)
    take(value)


def test_a_base_that_loses_its_base_is_seen() -> None:
    middle = made("Middle", Base)
    value = made("Sub", middle)()
    for _ in range(TIMES):
        take(value)
    middle.__bases__ = (Other,)
    with pytest.raises(TypeCheckError):
        take(value)


def test_an_instance_that_changes_its_class_is_seen() -> None:
    value: Any = made("Sub", Base)()
    for _ in range(TIMES):
        take(value)
    value.__class__ = made("Elsewhere", Other)
    with pytest.raises(TypeCheckError):
        take(value)


def test_names_found_late_are_remembered() -> None:
    first = Linked(None)
    second = Linked(first)
    for _ in range(TIMES):
        assert second.follow(second) is first
        assert first.follow(first) is None
        with pytest.raises(TypeCheckError):
            first.follow(None)  # type: ignore[arg-type]


def test_a_metaclass_that_answers_is_asked_each_time() -> None:
    answers = [True, False, True, False]

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return answers.pop(0)

    class Asked(metaclass=Meta):
        pass

    @typed
    def ask(value: Asked) -> int:
        return 1

    value: Any = Other()
    assert ask(value) == 1
    with pytest.raises(TypeCheckError):
        ask(value)
    sub: Any = Meta("Sub", (Asked,), {})
    assert ask(sub()) == 1
    with pytest.raises(TypeCheckError):
        ask(sub())


def test_classes_come_and_go() -> None:
    for _ in range(200):
        take(made("Sub", Base)())
        with pytest.raises(TypeCheckError):
            take(made("Sub", Other)())
