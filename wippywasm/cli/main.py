"""Where the command `wippywasm` begins, before anything is imported that takes long.

In: the command line. Out: the process ends, with an exit code or by SIGINT. Spec: SPEC section 13.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` without its enumerations, which take a while to make
import sys


def main() -> None:
    """Run the command line and exit the process.

    SIGINT ends it at once, unless it is ignored. Python's own `KeyboardInterrupt` waits until an engine has compiled,
    is a traceback where it strikes an import, and is dropped in callbacks of weak references. Commands that have
    something to end in order handle signals while they do (`signals`).
    """
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from wippywasm.cli.commands import run_main

    sys.exit(run_main(sys.argv[1:]))
