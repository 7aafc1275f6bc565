def expressions(a):
    lambda: a
    {1: a}
    {1: a, **a}
    {a}
    [a]
    [*a]
    [x for x in a]
    {x for x in a}
    {x: x for x in a}
    a(x for x in a)
    f"{a}"
    t"{a}"  # error[unsupported-expression]: a t-string can't be compiled yet
    a[1], a[1:2]
    a[*a]
    a(*a)
    a(**a)
    a in a
    a not in a


def in_dead_code(a):
    if False:
        return {a}
    return a
    return {a}


def fine(a):
    return a
