"""Tracebacks show the variables of functions whose comprehensions bind names that are cells, of one or the other."""
# native: cell_of_comprehension_alone, cell_of_function, cell_of_both, cell_of_comprehension, parameter, bound_later, two
# native: bound_earlier, unbound, dead

from castiron import jit
from support import show


def fail(value):
    raise KeyError(value)


@jit
def cell_of_function(first: int, second: int) -> int:
    for name in range(first):

        def inner():
            return name

    last = {0 for name in range(second) if name}
    fail((last, inner()))


@jit
def cell_of_both(first: int) -> int:
    name = first
    made = [lambda: name for name in range(first)]
    last = [lambda: name]
    fail([one() for one in made] + [last[0]()])


@jit
def cell_of_comprehension(first: int) -> int:
    before = first + 1
    made = [lambda: hidden for hidden in range(first)]
    after = before + 1
    fail([one() for one in made] + [after])


@jit
def parameter(name: int) -> int:
    made = [name for name in range(3)]
    last = lambda: name  # noqa: E731
    fail((made, last()))


@jit
def bound_later(first: int) -> int:
    def inner():
        return name

    made = [name for name in range(first)]
    name = first
    fail((made, inner()))


@jit
def two(first: int) -> int:
    one = [hidden for hidden in range(first)]
    other = [lambda: hidden for hidden in range(first)]
    last = [name for name in one if name]
    fail((last, other[0]()))


@jit
def cell_of_comprehension_alone(first: int, second: int) -> int:
    for turn in range(first):
        if turn == 2:
            fail(made)
        made = {(lambda: name)(): 0 for name in range(second)}
        name = turn * 3
    return name


@jit
def bound_earlier(n: int):
    for cell in range(n):
        behind = cell
    made = {(lambda: cell): 0 for cell in (0, 1, 0) if cell > n}
    return fail(len(made) + behind + cell)


@jit
def unbound(n: int):
    for cell in range(n):
        behind = cell
    made = [lambda: cell for cell in (n, behind)]
    del cell
    made.append(cell)


@jit
def dead(n: int):
    for cell in range(n):
        behind = cell
    return fail(behind)
    return [lambda: cell for cell in (n, behind)]


def main():
    show(cell_of_comprehension_alone, 5, 2)
    show(cell_of_comprehension_alone, 2, 2)
    for function in (cell_of_function, cell_of_both, cell_of_comprehension, parameter, bound_later, two):
        if function is cell_of_function:
            show(function, 2, 3)
        else:
            show(function, 3)
    for function in (bound_earlier, unbound, dead):
        show(function, 3)
