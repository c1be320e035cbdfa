"""Where a type has a `borrow` in it, which may not leave a call.

In: types with names. Out: whether one contains a borrowed handle, and why that is refused where it stands.
Spec: `Binary.md`, validation of `functype`, `stream` and `future`.
"""

from __future__ import annotations

from wippywasm import model
from wippywasm.errors import with_article
from wippywasm.model import ValType, parts


class Borrows:
    """Answers for many types; each is looked at once."""

    def __init__(self) -> None:
        self._known: dict[ValType, bool] = {}

    def within(self, t: ValType) -> bool:
        """Whether `t` is a `borrow` or has one in it, through names too. The height of types is limited before."""
        known = self._known.get(t)
        if known is None:
            known = isinstance(t, model.BorrowType) or any(self.within(p) for p in parts(t))
            self._known[t] = known
        return known

    def fault(self, t: ValType) -> str | None:
        """Why validation refuses a `stream` or `future`, or None; other types are fine."""
        if not isinstance(t, model.StreamType | model.FutureType) or t.element is None:
            return None
        kind = "stream" if isinstance(t, model.StreamType) else "future"
        if self.within(t.element):
            return f"{with_article(kind)} can't carry a `borrow`, which ends with the call"
        element = t.element.root.kind if isinstance(t.element, model.TypeDef) else t.element
        if kind == "stream" and element is model.PRIMS["char"]:
            return "`stream<char>` is not valid at this time"
        return None
