def shapes(x):
    match x:
        case 0 | None:
            return "nothing"
        case [a, *_] if a:
            return a
        case {"k": v, **rest}:
            return v, rest
        case Point(x=0, y=y):
            return y
        case _:
            return x
