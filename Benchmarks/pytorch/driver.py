"""The protocol of the benchmark processes: a line with a task and a count in, a line of JSON with its time out."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Callable, NamedTuple

PROCESS = Path("/proc/self")


class Scaled(NamedTuple):
    """Work of which a part was done and the rest computed from it."""

    images: int
    extra_seconds: float
    """What the rest would have taken."""
    measured_share: float
    """Share of the scaled part that was done."""


class Processor:
    """Where the work of a process is done, and what it holds."""

    def finish(self) -> None:
        """Waits until everything asked of the device is done; on the processor it is already."""

    def forget_peak(self) -> None:
        """Lets `peak_memory` count from now on, where the system can."""
        try:
            (PROCESS / "clear_refs").write_text("5")
        except OSError:
            pass

    def peak_memory(self) -> int:
        """Most bytes resident at once: since `forget_peak` on Linux, else since the process began."""
        try:
            status = (PROCESS / "status").read_text()
            return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
        except (OSError, StopIteration):
            unit = 1 if sys.platform == "darwin" else 1024
            return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


Task = Callable[[int], "int | Scaled"]
"""Does its work that often and returns the images it saw."""


def warmed_up(tasks: dict[str, Task], only: list[str]) -> dict[str, Task]:
    """The tasks that `only` names, all where it is empty, each done once."""
    unknown = [name for name in only if name not in tasks]
    if unknown:
        raise SystemExit(f"--tasks: {', '.join(unknown)} is none of {', '.join(tasks)}")
    offered = {name: task for name, task in tasks.items() if not only or name in only}
    for task in offered.values():
        task(1)
    return offered


def serve(tasks: dict[str, Task], machine: Processor = Processor()) -> None:
    """Answers `<task> <count>` lines until `quit`."""
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            return
        if len(words) != 2 or words[0] not in tasks or not words[1].isdecimal():
            reply = {"error": f"expected quit or one of {', '.join(sorted(tasks))} and a count, found {line.strip()!r}"}
        else:
            machine.finish()
            machine.forget_peak()
            start = time.perf_counter()
            result = tasks[words[0]](int(words[1]))
            machine.finish()
            seconds = time.perf_counter() - start
            reply = {"work": words[0], "seconds": seconds, "images": result, "peakBytes": machine.peak_memory()}
            if isinstance(result, Scaled):
                reply |= {"seconds": seconds + result.extra_seconds, "images": result.images}
                reply["measuredShare"] = result.measured_share
        print(json.dumps(reply), flush=True)
