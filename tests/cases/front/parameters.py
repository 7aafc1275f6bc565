def variadic(a, *args, b, **kwargs):
    return a + b
