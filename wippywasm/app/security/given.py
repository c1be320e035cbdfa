"""What the guests of an entry are given: folders and variables, asked of whoever they act for.

In: an entry, the context of the call. Out: nothing, or PermissionDeniedError. Spec: SPEC section 10.
"""

from __future__ import annotations

from wippywasm.app.entry import Entry
from wippywasm.app.env import Environment
from wippywasm.app.security.guard import Guard


def check_given(guard: Guard, entry: Entry, environment: Environment) -> None:
    """Raise PermissionDeniedError where the running call may not have what the guests of `entry` are given.

    Raises NotFoundError where a variable is not set that they require. To be asked in the context of the entry's own
    code, before each call of it: its instances serve many callers.
    """
    wasi = entry.data.get("wasi") or {}
    for mount in wasi.get("mounts") or ():
        facts = {"guest": mount["guest"], "read_only": bool(mount.get("read_only"))}
        guard.check("fs.get", mount["fs"], facts)
    for variable in wasi.get("env") or ():
        guard.check("env.get", environment.guarded_name(variable["id"]), {"guest": variable["name"]})
        if variable.get("required"):
            environment.get(variable["id"])
