"""The same kernel driven by a table: tasks are numbers into it, queues are deques, each handler knows only its part."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from castiron import jit

N_SMALL = 1000
N_BENCH = 200_000
EXPECTED_SMALL = (2322, 928)

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
PRIORITIES = (0, 1000, 2000, 3000, 4000, 5000)
SLOTS = 4


class Packet:
    def __init__(self, target: int, is_work: bool) -> None:
        self.target = target
        self.is_work = is_work
        self.position = 0
        self.data = [0] * SLOTS


class Kernel:
    """The table: for each task its queue, its two flags and what it does. A task that is to run next is a number."""

    def __init__(self) -> None:
        count = len(PRIORITIES)
        self.queues: list[deque[Packet]] = [deque() for _ in range(count)]
        self.held = [False] * count
        self.suspended = [True] * count
        self.steps: list[Callable[[Packet | None], int]] = []
        self.current = count - 1
        self.sent = 0
        self.holds = 0

    @jit
    def schedule(self) -> None:
        task = len(self.steps) - 1
        while task >= 0:
            queue = self.queues[task]
            if self.held[task] or (self.suspended[task] and not queue):
                task -= 1
                continue
            self.current = task
            packet = None
            if self.suspended[task]:
                packet = queue.popleft()
                self.suspended[task] = False
            task = self.steps[task](packet)

    @jit
    def hold(self) -> int:
        self.holds += 1
        self.held[self.current] = True
        return self.current - 1

    @jit
    def suspend(self) -> int:
        self.suspended[self.current] = True
        return self.current

    @jit
    def more_urgent(self, task: int) -> int:
        return task if PRIORITIES[task] > PRIORITIES[self.current] else self.current

    @jit
    def release(self, task: int) -> int:
        self.held[task] = False
        return self.more_urgent(task)

    @jit
    def send(self, packet: Packet) -> int:
        self.sent += 1
        receiver, packet.target = packet.target, self.current
        queue = self.queues[receiver]
        queue.append(packet)
        return self.more_urgent(receiver) if len(queue) == 1 else self.current


class Idler:
    def __init__(self, kernel: Kernel, turns: int) -> None:
        self.kernel = kernel
        self.turns = turns
        self.pattern = 1

    @jit
    def step(self, packet: Packet | None) -> int:
        self.turns -= 1
        if self.turns == 0:
            return self.kernel.hold()
        self.pattern, odd = divmod(self.pattern, 2)
        if odd:
            self.pattern ^= 0xD008
        return self.kernel.release(DEVICE_B if odd else DEVICE_A)


class Worker:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.turn = 0
        self.letter = 0

    @jit
    def step(self, packet: Packet | None) -> int:
        if packet is None:
            return self.kernel.suspend()
        packet.target = (HANDLER_B, HANDLER_A)[self.turn]
        self.turn = 1 - self.turn
        packet.position = 0
        packet.data = [(self.letter + i) % 26 + 1 for i in range(SLOTS)]
        self.letter += SLOTS
        return self.kernel.send(packet)


class Handler:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.work: deque[Packet] = deque()
        self.replies: deque[Packet] = deque()

    @jit
    def step(self, packet: Packet | None) -> int:
        if packet is not None:
            (self.work if packet.is_work else self.replies).append(packet)
        if self.work:
            work = self.work[0]
            if work.position == SLOTS:
                return self.kernel.send(self.work.popleft())
            if self.replies:
                reply = self.replies.popleft()
                reply.position = work.data[work.position]
                work.position += 1
                return self.kernel.send(reply)
        return self.kernel.suspend()


class Device:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.pending: Packet | None = None

    @jit
    def step(self, packet: Packet | None) -> int:
        if packet is not None:
            self.pending = packet
            return self.kernel.hold()
        if self.pending is None:
            return self.kernel.suspend()
        packet, self.pending = self.pending, None
        return self.kernel.send(packet)


def run(n: int) -> tuple[int, int]:
    kernel = Kernel()
    tasks = [Idler(kernel, n), Worker(kernel), Handler(kernel), Handler(kernel), Device(kernel), Device(kernel)]
    kernel.steps = [task.step for task in tasks]
    kernel.suspended[IDLE] = False
    kernel.queues[WORKER].extend(Packet(WORKER, True) for _ in range(2))
    kernel.queues[HANDLER_A].extend(Packet(DEVICE_A, False) for _ in range(3))
    kernel.queues[HANDLER_B].extend(Packet(DEVICE_B, False) for _ in range(3))
    kernel.schedule()
    return kernel.sent, kernel.holds
