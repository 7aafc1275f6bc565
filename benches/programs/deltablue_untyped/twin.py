"""The same solver as functions over plain records: one record of each sort, a number says what a rule does."""

from itertools import count

N_SMALL = 20
N_BENCH = 27_000
EXPECTED_SMALL = (190, 40880)

# a larger number is stronger
WEAKEST, WEAK_DEFAULT, NORMAL, STRONG_DEFAULT, PREFERRED, STRONG_PREFERRED, REQUIRED = range(7)

STAY, EDIT, EQUAL, SCALE = range(4)

new_mark = count(1).__next__


class Cell:
    """A value, the rules that touch it, and which of them computes it how firmly."""

    def __init__(self, value):
        self.value = value
        self.rules = []
        self.source = None
        self.strength = WEAKEST
        self.fixed = True
        self.mark = 0


class Rule:
    """What ties its cells together; `target` is the position of the one that it computes, None while it is not met.

    A rule of two cells computes either from the other; the cells behind them are only read.
    """

    def __init__(self, what, strength, *cells):
        self.what = what
        self.strength = strength
        self.cells = cells
        self.target = None


def choose_target(rule, mark):
    """Take the weaker of the rule's cells that is not marked yet, if the rule is stronger still."""
    target = 0
    if len(rule.cells) > 1:
        first, second = rule.cells[:2]
        if first.mark == mark or (second.mark != mark and second.strength <= first.strength):
            target = 1
    cell = rule.cells[target]
    rule.target = target if cell.mark != mark and cell.strength < rule.strength else None


def inputs(rule):
    """The cells that the rule reads."""
    return [cell for position, cell in enumerate(rule.cells) if position != rule.target]


def apply(rule):
    if rule.what == EQUAL:
        rule.cells[rule.target].value = rule.cells[1 - rule.target].value
    elif rule.what == SCALE:
        low, high, factor, offset = rule.cells
        if rule.target == 1:
            high.value = low.value * factor.value + offset.value
        else:
            low.value = (high.value - offset.value) // factor.value


def refresh(rule):
    """Tell the computed cell how firm it is now, and compute it where nothing will change it."""
    cell = rule.cells[rule.target]
    cell.strength = rule.strength
    cell.fixed = rule.what != EDIT
    if len(rule.cells) > 1:
        cell.strength = min(rule.strength, rule.cells[1 - rule.target].strength)
        cell.fixed = all(source.fixed for source in inputs(rule))
    if cell.fixed:
        apply(rule)


def users(cell):
    return [rule for rule in cell.rules if rule is not cell.source and rule.target is not None]


def meet(rule, mark):
    """Try to enforce the rule; the rule that had to give way, if any."""
    choose_target(rule, mark)
    if rule.target is None:
        if rule.strength == REQUIRED:
            raise RuntimeError("cannot satisfy a required constraint")
        return None
    for source in inputs(rule):
        source.mark = mark
    cell = rule.cells[rule.target]
    displaced, cell.source = cell.source, rule
    if displaced is not None:
        displaced.target = None
    waiting = [rule]
    while waiting:
        current = waiting.pop()
        computed = current.cells[current.target]
        if computed.mark == mark:
            remove(rule)
            raise RuntimeError("cycle of constraints")
        refresh(current)
        waiting += users(computed)
    cell.mark = mark
    return displaced


def enforce(rule):
    mark = new_mark()
    while rule is not None:
        rule = meet(rule, mark)


def add(what, strength, *cells):
    rule = Rule(what, strength, *cells)
    for cell in cells:
        cell.rules.append(rule)
    enforce(rule)
    return rule


def remove(rule):
    target = rule.target
    rule.target = None
    for cell in rule.cells:
        cell.rules.remove(rule)
    if target is None:
        return
    freed = rule.cells[target]
    freed.source, freed.strength, freed.fixed = None, WEAKEST, True
    unmet, waiting = [], [freed]
    while waiting:
        cell = waiting.pop()
        unmet += [other for other in cell.rules if other.target is None]
        for user in users(cell):
            refresh(user)
            waiting.append(user.cells[user.target])
    for other in sorted(unmet, key=lambda rule: rule.strength, reverse=True):
        enforce(other)


def plan_from(rule):
    """The rules downstream of an edit, in the order in which they are to be applied."""
    mark = new_mark()
    waiting, plan = [rule], []
    while waiting:
        current = waiting.pop()
        cell = current.cells[current.target]
        sources = inputs(current)[:1]
        if cell.mark != mark and all(s.mark == mark or s.fixed or s.source is None for s in sources):
            plan.append(current)
            cell.mark = mark
            waiting += users(cell)
    return plan


def change(cell, values):
    """Edit the cell again and again; yields after each change has spread."""
    edit = add(EDIT, PREFERRED, cell)
    plan = plan_from(edit)
    for value in values:
        cell.value = value
        for rule in plan:
            apply(rule)
        yield value
    remove(edit)


def chain(n):
    cells = [Cell(0) for _ in range(n + 1)]
    for left, right in zip(cells, cells[1:]):
        add(EQUAL, REQUIRED, left, right)
    add(STAY, STRONG_DEFAULT, cells[-1])
    total = 0
    for value in change(cells[0], range(20)):
        if cells[-1].value != value:
            raise RuntimeError("chain lost a value")
        total += cells[-1].value
    return total


def projection(n):
    factor, offset = Cell(10), Cell(1000)
    pairs = [(Cell(i), Cell(i)) for i in range(n)]
    for low, high in pairs:
        add(STAY, NORMAL, low)
        add(SCALE, REQUIRED, low, high, factor, offset)
    low, high = pairs[-1]
    for cell, value, other, wanted in ((low, 17, high, 1170), (high, 1050, low, 5)):
        if not all(other.value == wanted for _ in change(cell, [value] * 10)):
            raise RuntimeError("projection failed")
    for cell, value in ((factor, 5), (offset, 2000)):
        for _ in change(cell, [value] * 10):
            pass
    if any(high.value != i * 5 + 2000 for i, (_, high) in enumerate(pairs[:-1])):
        raise RuntimeError("projection lost a change")
    return sum(high.value for _, high in pairs)


def run(n):
    return chain(n), projection(n)
