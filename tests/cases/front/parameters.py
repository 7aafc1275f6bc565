def variadic(a, *args, b, **kwargs):  # error[unsupported-parameter]: the parameter `*args` can't be compiled yet  # error[unsupported-parameter]: the parameter `**kwargs` can't be compiled yet
    return a + b
