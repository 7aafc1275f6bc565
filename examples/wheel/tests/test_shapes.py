"""Run by pytest or alone, with the package installed either way."""

from importlib.resources import files

import shapes


def test_areas() -> None:
    assert shapes.disc(2.0, 3) == 36.0
    assert shapes.total([1, 2, 3]) == 14
    assert shapes.total([2**40, 1]) == 2**80 + 1


def test_promises() -> None:
    try:
        shapes.disc("2", 3)
    except TypeError as error:
        assert str(error) == "disc() argument 'r' must be float, not str: '2'"
    else:
        raise AssertionError("a string is no float")


def test_data() -> None:
    assert (files("shapes") / "words.txt").read_text() == "hello\n"


if __name__ == "__main__":
    test_areas()
    test_promises()
    test_data()
