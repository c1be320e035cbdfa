"""The end of a program whose standard output is gone.

In: why. Out: what ends it, for whoever runs it to tell.
"""

from __future__ import annotations


class OutputLost(BaseException):
    """Standard output takes nothing any more; `reason` says why.

    Not an `Exception`: no program may catch it and go on.
    """

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason
