"""The protocol of the benchmark processes: a line with a task and a count in, a line of JSON with its time out."""

from __future__ import annotations

import json
import sys
import time
from typing import Callable


def serve(tasks: dict[str, Callable[[int], int]]) -> None:
    """Answers `<task> <count>` lines until `quit`; a task does its work `count` times and returns the images it saw."""
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            return
        if len(words) != 2 or words[0] not in tasks or not words[1].isdecimal():
            reply = {"error": f"expected quit or one of {', '.join(sorted(tasks))} and a count, found {line.strip()!r}"}
        else:
            start = time.perf_counter()
            images = tasks[words[0]](int(words[1]))
            reply = {"work": words[0], "seconds": time.perf_counter() - start, "images": images}
        print(json.dumps(reply), flush=True)
