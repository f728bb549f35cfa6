"""`make rehearse`: deploys the template with the real Lambda binary into MiniStack, and walks through all of it.

Before that, checks the size of the template, because MiniStack does not enforce AWS's limits.
"""

import signal
import sys
import tempfile
import time
from pathlib import Path

from deployment import sizes
from caller import Failure
from rehearsal import rehearse
from deployment.stack import package
from steps import end, say, verdict
from deployment.template import load


def main() -> int:
    """Rehearses once. Returns 0 if every step passed."""
    signal.signal(signal.SIGTERM, end)
    start, tree = time.monotonic(), load()
    try:
        say("\n".join(sizes.check(tree)))
    except Failure as error:
        say(f"FAILED the template fits into AWS's limits\n       {error}")
        return 1
    with tempfile.TemporaryDirectory(prefix="rehearsal-code-") as folder:
        archives = package(Path(folder), whole=True)
        outcome = rehearse(tree, archives, say)
    say(verdict("rehearsal", outcome, time.monotonic() - start))
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
