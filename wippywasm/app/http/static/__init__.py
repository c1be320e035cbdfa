"""Files of a folder, over HTTP.

In: a `Folder` of a plan, and where it is. Out: a handler. Spec: SPEC section 12.
"""

from __future__ import annotations

from wippywasm.app.http.static.folder import FileFolder

__all__ = ["FileFolder"]
