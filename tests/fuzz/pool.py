"""Worker processes: requests go to the one that is free; a crash or a hang is an answer too."""

from __future__ import annotations

import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.fuzz.worker import CANNOT_START

ROOT = Path(__file__).resolve().parents[2]
HANG_SECONDS = 30.0


class Worker:
    """One process that answers requests; it is started again after a crash."""

    def __init__(self, environment: dict[str, str]) -> None:
        # What gains nothing as machine code is generated to be compiled all the same.
        force = os.environ.get("CASTIRON_FORCE") or "native"
        common = {"PYTHONHASHSEED": "0", "CASTIRON_STRICT": "1", "CASTIRON_FORCE": force}
        self.environment = {**os.environ, **common, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        return self.process

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The worker's report, or one that says how the worker died."""
        process = self.start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(HANG_SECONDS) else None
        if not line:
            return self.bury(request, hung=line is None)
        report: dict[str, Any] = json.loads(line)
        if report.get("found"):
            # Memory that a wrong count of references has damaged must not reach the next program.
            self.close()
        # The worker's own objects may be what is damaged.
        return {"functions": 0, "native": 0, **report, "seed": request["seed"]}

    def bury(self, request: dict[str, Any], *, hung: bool) -> dict[str, Any]:
        """Ends a worker that does not answer; its last words go into the report."""
        process = self.process
        assert process
        if hung:
            process.kill()
        _, errors = process.communicate()
        self.process = None
        if hung:
            death = "hang"
        elif process.returncode < 0:
            death = signal.Signals(-process.returncode).name
        else:
            death = f"exit {process.returncode}"
        said = errors.decode(errors="replace").strip().splitlines()[-12:]
        if process.returncode == CANNOT_START:
            print("tests.fuzz:", *said, file=sys.stderr, flush=True)
            os._exit(2)
        return {"seed": request["seed"], "found": {"death": death, "said": said}, "functions": 0, "native": 0}

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def answers(requests: Iterable[dict[str, Any]], jobs: int, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Reports in the order in which they come; whoever has seen enough closes the iterator, which ends the workers."""
    done: queue.Queue[dict[str, Any] | None] = queue.Queue()
    room = threading.Semaphore(4 * jobs)
    source = iter(requests)
    lock = threading.Lock()
    stopped = threading.Event()

    def work() -> None:
        worker = Worker(environment)
        try:
            while True:
                room.acquire()
                with lock:
                    request = None if stopped.is_set() else next(source, None)
                if request is None:
                    return
                done.put(worker.ask(request))
        finally:
            worker.close()
            done.put(None)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    running = jobs
    try:
        while running:
            report = done.get()
            room.release()
            if report is None:
                running -= 1
            else:
                yield report
    finally:
        stopped.set()
        room.release(jobs)
        for thread in threads:
            thread.join()
