"""The names that `imports:` of a wasm entry may have.

In: a name such as `wasi:clocks`, `wasi:clocks/monotonic-clock@0.2.3`, `wasi1`, `funcs`. Out: a complaint, or None.
Spec: SPEC section 7.
"""

from __future__ import annotations

import re

from wippywasm.app.suggest import did_you_mean, listing

PACKAGES: dict[str, tuple[str, ...]] = {
    "wasi:io": ("error", "streams", "poll"),
    "wasi:poll": (),
    "wasi:clocks": ("wall-clock", "monotonic-clock"),
    "wasi:cli": (
        "environment",
        "exit",
        "stdin",
        "stdout",
        "stderr",
        "terminal-input",
        "terminal-output",
        "terminal-stdin",
        "terminal-stdout",
        "terminal-stderr",
    ),
    "wasi:filesystem": ("types", "preopens"),
    "wasi:random": ("random", "insecure", "insecure-seed"),
    "wasi:sockets": (
        "instance-network",
        "network",
        "tcp",
        "tcp-create-socket",
        "udp",
        "udp-create-socket",
        "ip-name-lookup",
    ),
    "wasi:http": ("types", "outgoing-handler"),
    "wippy:runtime": ("funcs",),
}
SHORT_NAMES = ("funcs", "wasi1", "wasi-preview1", "preview1", "wasi_snapshot_preview1")
_VERSION = re.compile(r"0\.2\.[0-9]{1,4}")


def unknown_import(name: str) -> str | None:
    """What is wrong with the name of a host import."""
    if name in SHORT_NAMES:
        return None
    path, at, version = name.partition("@")
    package, slash, interface = path.partition("/")
    known = PACKAGES.get(package)
    if known is None:
        return _unknown(f"there is no host import '{name}'", package, _grantable())
    if slash and interface not in known:
        return _unknown(f"'{package}' has no interface '{interface}'", interface, known)
    if package == "wippy:runtime" and not slash:
        return _unknown(f"there is no host import '{name}'", package, ("funcs",))
    if at and not _has_version(package, version):
        return f"'{name}': version {version or '(none)'} is not served; any 0.2.x of WASI is, and wippy:runtime 0.1.0"
    return None


def _has_version(package: str, version: str) -> bool:
    return version == "0.1.0" if package == "wippy:runtime" else bool(_VERSION.fullmatch(version))


def _grantable() -> tuple[str, ...]:
    return (*(p for p in PACKAGES if p != "wippy:runtime"), *SHORT_NAMES)


def _unknown(message: str, name: str, names: tuple[str, ...]) -> str:
    return f"{message}: {did_you_mean(name, names) or f'there are {listing(names, 20)}'}"
