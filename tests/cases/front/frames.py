import sys


def frames(a, vars):
    locals()  # error[frame-inspection]: `locals` may look at the variables of the running function
    globals()
    eval("a")  # error[frame-inspection]: `eval` may look at the variables of the running function
    exec("a")  # error[frame-inspection]: `exec` may look at the variables of the running function
    dir()  # error[frame-inspection]: `dir` may look at the variables of the running function
    super().frames()  # error[frame-inspection]: `super` may look at the variables of the running function
    sys._getframe()  # error[frame-inspection]: `_getframe` may look at the variables of the running function
    f = eval  # error[frame-inspection]: `eval` may look at the variables of the running function


def namespaces(a, vars):
    return dir(a), vars(), eval("x", a), exec("x", a, a)
