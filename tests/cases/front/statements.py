def statements(a):
    import math
    from math import sqrt
    type T = int

    def inner():
        pass

    class Inner:
        pass

    with a as b:
        {b}
    try:
        {a}
    except ValueError:
        raise
    match a:
        case 1:
            pass
    a.x = 1
    a.x += 1
    a.x: int
    a[0] = 1
    a[0] += 1
    a, *b = a
    del a.x
