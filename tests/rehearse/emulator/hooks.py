"""How MiniStack is extended, and the journal of what it does.

Invariant: if a name in MiniStack is missing, the start fails. MiniStack's version is pinned.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

Context = dict[str, Any]


class Journal:
    """A file with one JSON object a line for each thing that happened."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "a", encoding="utf-8", buffering=1)
        self.lock = threading.Lock()

    def write(self, **members: Any) -> None:
        """Appends a line."""
        line = json.dumps(members, default=str)
        with self.lock:
            self.file.write(line + "\n")


def hook(module: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Replaces a function of MiniStack by a wrapper around it."""
    setattr(module, name, wrap(getattr(module, name)))
