"""Generated programs: plain CPython and compiled code must agree on every one of them.

``python -m tests.fuzz --count 2000 --seed 1`` writes random modules of annotated functions, calls them plain
and compiled, and compares values, exact types, exceptions, messages, tracebacks and warnings. A divergence is shrunk
to a small module that still diverges. ``--sabotage`` shows that seeded wrong lowerings are found.

- ``expressions``, ``objects``, ``statements``, ``generate``: text of a module from a seed;
- ``items``, ``handlers``, ``nested``, ``things``: what ``rich`` adds to it;
- ``shapes``, ``arrays``: programs of one shape; ``values``: what calls pass; ``scope``: what code has at one point;
- ``oracle``: what stands in for castiron in the plain run, the checks of promises included;
- ``outcome``: what a call did, in a comparable form; ``leaks``: what calls leave behind;
- ``worker``: runs modules in a process of its own, one line of JSON for each;
- ``pool``: keeps workers busy and survives their crashes;
- ``shrink``: makes a diverging module smaller;
- ``sabotage``, ``coverage``: whether the programs would find anything.
"""
