"""How MiniStack is added to, and what is noted of what it does.

Invariant: a name of MiniStack that is gone stops the start; its version is pinned.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

Context = dict[str, Any]


class Journal:
    """What happened, one JSON object a line."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "a", encoding="utf-8", buffering=1)
        self.lock = threading.Lock()

    def write(self, **members: Any) -> None:
        """Adds a line."""
        line = json.dumps(members, default=str)
        with self.lock:
            self.file.write(line + "\n")


def hook(module: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Puts a wrapper around a function of MiniStack."""
    setattr(module, name, wrap(getattr(module, name)))
