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


def forget_peak() -> None:
    """Lets `peak_memory` count from now on, where the system can."""
    try:
        (PROCESS / "clear_refs").write_text("5")
    except OSError:
        pass


def peak_memory() -> int:
    """Most bytes resident at once: since `forget_peak` on Linux, else since the process began."""
    try:
        status = (PROCESS / "status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def serve(tasks: dict[str, Callable[[int], int | Scaled]]) -> None:
    """Answers `<task> <count>` lines until `quit`; a task does its work `count` times and returns the images it saw."""
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            return
        if len(words) != 2 or words[0] not in tasks or not words[1].isdecimal():
            reply = {"error": f"expected quit or one of {', '.join(sorted(tasks))} and a count, found {line.strip()!r}"}
        else:
            forget_peak()
            start = time.perf_counter()
            result = tasks[words[0]](int(words[1]))
            seconds = time.perf_counter() - start
            reply = {"work": words[0], "seconds": seconds, "images": result, "peakBytes": peak_memory()}
            if isinstance(result, Scaled):
                reply |= {"seconds": seconds + result.extra_seconds, "images": result.images}
                reply["measuredShare"] = result.measured_share
        print(json.dumps(reply), flush=True)
