"""Global names, builtins and attributes of modules at one place while they are bound, deleted and shadowed."""
# native: module_attribute, global_name, builtin_name, call_module
# repetitions: 100

import builtins
import math
import sys
import types

from castiron import jit

moving = 0


@jit
def module_attribute(module):
    return module.name


@jit
def call_module(module, x):
    return module.function(x)


@jit
def global_name():
    return moving


@jit
def builtin_name():
    return ascii


def show(function, *args):
    try:
        result = function(*args)
    except Exception as error:
        print(function.__name__, "raised", type(error).__name__, error)
    else:
        print(function.__name__, result if type(result) in (int, str, float) else getattr(result, "__name__", "?"))


def modules():
    module = types.ModuleType("module")
    show(module_attribute, module)
    module.name = 1
    show(module_attribute, module)
    module.name = 2
    show(module_attribute, module)
    module.__dict__.update({f"n{i}": i for i in range(40)})
    show(module_attribute, module)
    del module.name
    show(module_attribute, module)
    module.__getattr__ = lambda name: "module hook " + name
    show(module_attribute, module)
    show(module_attribute, sys)
    show(call_module, module, 1)
    module.function = math.sqrt
    show(call_module, module, 4)
    module.function = lambda x: x + 1
    show(call_module, module, 4)
    math.function = len
    show(call_module, math, "abc")
    del math.function
    show(call_module, math, "abc")


def main():
    global moving, ascii
    for moving in range(100):
        assert global_name() == moving, moving
    del moving
    show(global_name)
    moving = "back"
    show(global_name)
    show(builtin_name)
    ascii = "shadowed"
    show(builtin_name)
    del ascii
    show(builtin_name)
    builtins.moving = "builtin"
    del moving
    show(global_name)
    moving = "global"
    show(global_name)
    del builtins.moving
    builtins.ascii, kept = "patched", builtins.ascii
    show(builtin_name)
    builtins.ascii = kept
    show(builtin_name)
    globals().update(moving="updated")
    show(global_name)
    globals()["moving"] = 0
    show(global_name)
    modules()
