"""Loops that lose bets come back into specialised code: how often they exit, interrupts, threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TURNS = 1_000_000

LOOPS = """
from castiron import jit

MODULUS = 1_000_000_007

@jit
def bouncing(n: int) -> int:
    state, acc = 1, 0
    for _ in range(n):
        state = (state * 1103515245 + 12345) % 2147483648
        value = state * state
        if (state >> 12) % 64 == 0:
            value = value * state
        acc = (acc * 31 + value) % MODULUS
    return acc

@jit
def beyond(n: int) -> int:
    total = 9223372036854775807 - n
    for i in range(n):
        total += 3 + i % 7
    return total
"""


def run(folder: Path, body: str, force: str = "") -> Any:
    """The last line that a program prints which begins with the loops above, as JSON."""
    program = folder / "program.py"
    program.write_text(LOOPS + textwrap.dedent(body))
    environment = {**os.environ, "CASTIRON_STRICT": "1", "CASTIRON_FORCE": force}
    command = [sys.executable, str(program)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_no_exit_after_warm_up_but_at_the_crossing(tmp_path: Path) -> None:
    counted = run(
        tmp_path,
        f"""
        import castiron, json
        exits = lambda: sum(castiron.stats()["exits"].values())
        found = []
        for function in (bouncing, beyond):
            for _ in range(2):
                function({TURNS})
            before = exits()
            function({TURNS})
            found.append(exits() - before)
        print(json.dumps(found))
        """,
    )
    # The body that every call enters leaves once; the loop version stays.
    assert counted == [1, 1]


def test_an_interrupt_ends_a_bouncing_loop(tmp_path: Path) -> None:
    waited = run(
        tmp_path,
        """
        import json, os, signal, threading, time
        bouncing(100_000), beyond(100_000)
        waited = []
        for function in (bouncing, beyond):
            sent = []
            def send():
                time.sleep(0.3)
                sent.append(time.perf_counter())
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=send).start()
            try:
                function(10**12)
            except KeyboardInterrupt:
                waited.append(time.perf_counter() - sent[0])
        print(json.dumps(waited))
        """,
    )
    assert len(waited) == 2
    assert max(waited) < 10


def test_threads_bounce_at_the_same_time(tmp_path: Path) -> None:
    answers = run(
        tmp_path,
        """
        import json, sys, threading
        sys.setswitchinterval(1e-5)
        answers = []
        def work():
            for n in (50_000, 60_000, 70_000):
                answers.append((n, bouncing(n), beyond(n)))
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(json.dumps([len(answers), sorted(set(answers))]))
        """,
    )
    count, different = answers
    assert (count, len(different)) == (12, 3)


def test_forced_exits_come_back_too(tmp_path: Path) -> None:
    entered = run(
        tmp_path,
        """
        import castiron, json
        results = [bouncing(20_000), beyond(20_000)]
        print(json.dumps([castiron.stats()["loop_entries"], results]))
        """,
        "exit:4",
    )
    plain = run(tmp_path, "import json; print(json.dumps([0, [bouncing(20_000), beyond(20_000)]]))", "generic")
    assert entered[0] > 0
    assert entered[1] == plain[1]
