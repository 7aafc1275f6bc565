"""Type parameters and `type` statements inside functions (PEP 695): what they share with the function around them."""
# since: 3.12
# native: aliases, generic_alias, function, defaults, bounds, generic_class, decorated, shadows, in_loop, method_of_generic, recursive_alias, missing_name, class_cells
# repetitions: 200

from castiron import jit
from support import show


def told(x):
    print("  told", x)
    return x


@jit
def aliases(y):
    type X = y
    type Z = list[X]
    before = X.__value__
    y = 5
    return X.__name__, before, X.__value__, Z.__value__.__args__[0] is X, X.__module__, X.__type_params__, repr(Z)


@jit
def generic_alias(y):
    type Pair[T] = tuple[T, y]
    type Many[*Ts, **P] = tuple[*Ts]
    return Pair[int].__args__, Pair.__value__, Pair.__type_params__, Many.__type_params__, Pair.__value__.__args__[1]


@jit
def function(y):
    def inner[T](a: T, b: y = 2) -> T:
        return a, b, y, T

    return inner(1), inner.__type_params__, inner.__annotations__, inner.__defaults__, inner.__qualname__


@jit
def defaults(x, y):
    def inner[T](a=told(x), /, b=told(y), *, c=told(3), d: T = told(x)):
        return a, b, c, d

    def only_named[T](*, a=x):
        return a, T

    def none_at_all[T](*args, **named):
        return args, named

    return inner(), inner.__kwdefaults__, only_named(), none_at_all(1, k=2)


@jit
def bounds(y):
    def inner[T: y, S: (int, y)](a: T):
        return a

    first, second = inner.__type_params__
    return first.__bound__, second.__constraints__


@jit
def generic_class(base, y):
    @told
    class C[T, S: y](base, metaclass=told(type)):
        attribute = y

        def method(self, x: T) -> S:
            return x, T, y, __class__

    return C.__type_params__, C.__bases__, C().method(1)[:3], C.attribute, C.method.__annotations__, C.__qualname__


@jit
def decorated(y):
    @lambda pair: told(y) and pair
    @lambda f: (f, y)
    def inner[T]() -> T:
        return T

    return inner[1], inner[0]()


@jit
def shadows(T):
    def inner[T](a: T) -> T:
        return T

    type Other[T] = T
    return T, inner(1), Other.__value__


@jit
def in_loop(items):
    found = []
    for item in items:
        type Item = item

        def keep[T](x: T = item):
            return x

        found.append((Item, keep))
    return [(alias.__value__, keep()) for alias, keep in found]


@jit
def method_of_generic(y):
    class C[T]:
        def method[S](self, a: T, b: S = y) -> y:
            return a, b, y

    return C[int]().method(1), C.method.__annotations__


@jit
def recursive_alias():
    type Json = dict[str, Json] | list[Json] | int
    return Json.__value__.__args__[0].__args__[1] is Json


@jit
def missing_name():
    type Missing = no_such_name
    alias = Missing
    try:
        alias.__value__
    except NameError as error:
        found = str(error)
    return found


@jit
def class_cells(y):
    type A = lambda: y
    type B = [y for _ in (1, 2)]
    y += 1
    return A.__value__(), B.__value__


class Private:
    @jit
    def own(self, y):
        type __X = y
        return __X.__name__, __X.__value__


def private_names(y):
    return Private().own(y)


def main():
    show(lambda: aliases(int))
    show(lambda: generic_alias(int))
    show(lambda: function(7))
    show(lambda: defaults(1, 2))
    show(lambda: bounds(int))
    show(lambda: generic_class(dict, 5))
    show(lambda: decorated(3))
    show(lambda: shadows("outer"))
    show(lambda: in_loop([1, 2]))
    show(lambda: method_of_generic(9))
    show(recursive_alias)
    show(missing_name)
    show(lambda: class_cells(4))
    show(lambda: private_names(4))
