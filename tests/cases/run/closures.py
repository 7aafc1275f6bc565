"""Functions inside functions: cells, defaults, decorators, lambdas, classes, `super()`, and when they end."""
# native: counter, adder, captured_parameter, late_binding, unbound_cell, deleted_cell, lambdas, decorated, defaults, annotated, nested_twice, makes_class, class_with_super, rebinds, in_loop, in_try, in_finally, recursive, returns_cells, cell_in_handler, keyword_only, two_on_a_line, class_arguments
# repetitions: 300

from castiron import jit
from support import show


class Noisy:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Noisy({self.name})"

    def __del__(self):
        print("  del", self.name)


class Base:
    def __init__(self, value):
        self.value = value

    def describe(self):
        return f"Base({self.value})"

    @classmethod
    def make(cls, value):
        return cls(value)


class Derived(Base):
    @jit
    def __init__(self, value, extra):
        super().__init__(value)
        self.extra = extra

    @jit
    def describe(self):
        inner = lambda: super(Derived, self).describe()
        return f"Derived of {super().describe()} and {inner()} {__class__.__name__}"

    @jit
    def captured(self):
        def inner():
            return self.extra

        return super().describe(), inner()

    @jit
    def missing(self):
        return super().no_such_method()

    @jit
    def rebound(self, other):
        self = other
        return super().describe()


def passed(*args, **named):
    def decorate(function):
        print("  decorate", args, named)
        function.passed = args
        return function

    print("  decorator", args, named)
    return decorate


@jit
def counter(start):
    count = start

    def step(by=1):
        nonlocal count
        count += by
        return count

    return [step(), step(5), step(), count]


@jit
def adder(n):
    def add(x):
        return x + n

    return add(1), add.__name__, add.__qualname__, add.__code__.co_freevars, add.__module__


@jit
def captured_parameter(a, *args, b=2, **named):
    def inner():
        return a, args, b, sorted(named)

    a = a, "changed"
    return inner()


@jit
def late_binding(n: int):
    functions = []
    for i in range(n):
        functions.append(lambda: i)
    return [function() for function in functions]


@jit
def unbound_cell(bind):
    def inner():
        return value

    if bind:
        value = 5
    return inner(), value


@jit
def unbound_here(bind):
    def inner():
        return value

    if bind:
        value = 5
    return value


@jit
def deleted_cell():
    value = Noisy("value")

    def inner():
        return value

    del value
    try:
        inner()
    except NameError as error:
        print("  inner", error)
    try:
        del value
    except NameError as error:
        return str(error)


@jit
def lambdas(x):
    twice = lambda y, z=x: y + z
    none = lambda: None
    return twice(1), twice(1, 2), none(), (lambda *a, **k: (a, k, x))(1, b=2), twice.__name__


@jit
def decorated(tag):
    @passed(tag, "outer")
    @passed(tag, key="inner")
    def inner():
        return tag

    return inner(), inner.passed


@jit
def defaults(a, b):
    def inner(x, y=a, /, z=b, *, k=[a], m=1):
        return x, y, z, k, m

    return inner(1), inner.__defaults__, inner.__kwdefaults__


@jit
def annotated(kind):
    def inner(x: kind, *args: int, y: "text" = 1, **named: str) -> list[kind]:
        pass

    return sorted((name, str(value)) for name, value in inner.__annotations__.items())


@jit
def nested_twice(a):
    def middle(b):
        def inner(c):
            return a, b, c

        return inner

    return middle(1)(2)


@jit
def makes_class(base, value):
    class Made(base, metaclass=type):
        attribute = value

        def method(self):
            return value, super().__repr__()[:5]

    return Made.attribute, Made().method()[0], Made.__qualname__, Made.__mro__[1].__name__


@jit
def class_with_super(value):
    class Inner(Base):
        def describe(self):
            return "inner " + super().describe()

    return Inner(value).describe(), Inner.make(1).value


@jit
def class_arguments(bases, named):
    @passed("class")
    class Made(*bases, **named):
        pass

    return Made.__name__, [base.__name__ for base in Made.__bases__]


@jit
def rebinds(value):
    held = Noisy("first")

    def get():
        return held

    held = Noisy("second")
    print("  rebound", get())
    return value


@jit
def in_loop(items):
    total = 0
    for item in items:

        def scaled(x):
            return x * item

        total += scaled(2)
    return total


@jit
def in_try(items):
    found = []
    for item in items:
        try:
            found.append((lambda: 10 // item)())
        except ZeroDivisionError as error:
            found.append((lambda: str(error))())
    return found


@jit
def in_finally(n: int):
    try:
        if n == 0:
            return "returned"
        if n == 1:
            raise ValueError(n)
    except ValueError:
        return "caught"
    finally:
        first, second = lambda: n, lambda: n + 1
        print("  finally", first(), second())
    return "end"


@jit
def recursive(n: int):
    def fact(k):
        return 1 if k < 2 else k * fact(k - 1)

    return fact(n)


@jit
def returns_cells(x):
    def get():
        return x

    def put(value):
        nonlocal x
        x = value

    return get, put


@jit
def cell_in_handler(error):
    try:
        raise error
    except ValueError as found:
        keep = lambda: found
        inside = repr(keep())
    try:
        keep()
    except NameError as missing:
        return inside, str(missing)


@jit
def keyword_only(*, a, b=1):
    return (lambda: (a, b))()


@jit
def two_on_a_line(a):
    return (lambda: a)() if a else (lambda: not a)(), (lambda: [a])(), [(lambda: (a,)), (lambda: {a})][0]()


class Private:
    def __repr__(self):
        return "Private()"

    @jit
    def mangled(self, __value):
        def __inner():
            return __value

        return __inner(), sorted(self.__dict__)


mangled = Private.__dict__["mangled"]


def make_closure(x):
    @jit
    def closure(y: int):
        nonlocal x
        x = x + y
        return x

    return closure


def main():
    show(counter, 1)
    show(counter, "a")
    show(adder, 5)
    show(captured_parameter, 1, 2, 3, b=4, c=5)
    show(late_binding, 3)
    show(late_binding, 0)
    for bind in (True, False):
        show(unbound_cell, bind)
        show(unbound_here, bind)
    show(deleted_cell)
    show(lambdas, 3)
    show(decorated, "tag")
    show(defaults, 1, 2)
    show(annotated, int)
    show(nested_twice, 0)
    show(makes_class, object, 5)
    show(makes_class, 5, 5)
    show(class_with_super, 3)
    show(class_arguments, (Base,), {})
    show(class_arguments, (), {"no_such_argument": 1})
    show(rebinds, 1)
    show(in_loop, [1, 2, 3])
    show(in_try, [5, 0, 2])
    for n in range(3):
        show(in_finally, n)
    show(recursive, 20)
    get, put = returns_cells(1)
    put(2)
    print(get())
    show(cell_in_handler, ValueError("v"))
    show(keyword_only, a=5)
    show(two_on_a_line, 0)
    show(two_on_a_line, 1)
    show(mangled, Private(), 3)
    derived = Derived(1, 2)
    print(derived.describe(), derived.captured())
    try:
        derived.missing()
    except AttributeError as error:
        print(error)
    for other in (derived, Base(5), 7):
        try:
            print(derived.rebound(other))
        except TypeError as error:
            print(error)
    one, two = make_closure(1), make_closure(10)
    print(one(1), two(1), one(2), two(2))
