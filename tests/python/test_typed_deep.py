"""Deep checks find a bad element wherever it stands: elements are passed over in runs of one type."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from castiron import TypeCheckError, typed

SIZES = [*range(19), 40]


class Small(int):
    """Passes for an int, but not because of its exact type."""


def accepts(hint: Any) -> Callable[[Any], bool]:
    def check(value: hint) -> None: ...

    checked = typed(check, deep=True)

    def found(value: Any) -> bool:
        try:
            checked(value)
        except TypeCheckError:
            return False
        return True

    return found


def lists(items: list[Any]) -> tuple[Any, Any]:
    return list[int], items


def sequences(items: list[Any]) -> tuple[Any, Any]:
    return Sequence[int], items


def tuples(items: list[Any]) -> tuple[Any, Any]:
    return tuple[int, ...], tuple(items)


def fixed_tuples(items: list[Any]) -> tuple[Any, Any]:
    return tuple[(int,) * len(items)] if items else tuple[()], tuple(items)


def sets(items: list[Any]) -> tuple[Any, Any]:
    return set[int], set(items)


def frozen_sets(items: list[Any]) -> tuple[Any, Any]:
    return frozenset[int], frozenset(items)


def keys(items: list[Any]) -> tuple[Any, Any]:
    return dict[int, int], dict.fromkeys(items, 1)


def values(items: list[Any]) -> tuple[Any, Any]:
    return dict[str, int], {str(number): item for number, item in enumerate(items)}


def values_of_objects(items: list[Any]) -> tuple[Any, Any]:
    return dict[int, int], dict(enumerate(items))


def values_with_gaps(items: list[Any]) -> tuple[Any, Any]:
    made = {str(number): item for number, item in enumerate(["gap", *items, "gap"])}
    del made["0"], made[str(len(items) + 1)]
    return dict[str, int], made


def nested(items: list[Any]) -> tuple[Any, Any]:
    return dict[str, list[tuple[int, ...]]], {"a": [(1,), (2, 3)], "b": [(), tuple(items)]}


FORMS = [
    lists, sequences, tuples, fixed_tuples, sets, frozen_sets, keys, values, values_of_objects, values_with_gaps,
    nested,
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", SIZES)
def test_an_element_that_breaks_its_annotation_is_found_wherever_it_stands(form: Any, size: int) -> None:
    good: list[Any] = list(range(10, 10 + size))
    hint, value = form(good)
    check = accepts(hint)
    assert check(value)
    for position in range(size):
        for other, passes in ((True, True), (Small(5), True), (1.5, False), ("x", False), (None, False)):
            items = [*good[:position], other, *good[position + 1 :]]
            assert check(form(items)[1]) is passes, (position, other)


def test_elements_of_several_types_in_turn() -> None:
    check = accepts(list[int | str | None])
    assert check([1, "a", None] * 20)
    assert not check([*([1, "a", None] * 20), 1.5])
    assert check([Small(3), 1, "a"] * 20)


def test_a_subclass_of_a_container_is_looked_at_as_well() -> None:
    class Items(list[Any]): ...

    class Names(dict[Any, Any]): ...

    check = accepts(list[int])
    assert check(Items([1] * 20))
    assert not check(Items([*[1] * 20, "x"]))
    check = accepts(dict[str, int])
    assert check(Names(a=1, b=2))
    assert not check(Names(a=1, b="x"))


def test_a_fixed_tuple_has_its_length() -> None:
    check = accepts(tuple[int, str])
    assert check((1, "a"))
    assert not check((1,))
    assert not check((1, "a", "b"))
    assert not check([1, "a"])


def test_a_list_that_changes_while_its_elements_are_checked() -> None:
    items: list[Any] = []

    class Meta(type):
        def __instancecheck__(cls, value: object) -> bool:
            items.clear()
            items.extend([1] * 3)
            return True

    class Changing(metaclass=Meta): ...

    items.extend(range(100))
    assert accepts(list[Changing])(items)
    assert items == [1, 1, 1]
