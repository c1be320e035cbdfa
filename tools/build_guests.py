"""Builds the guests of `examples` and `tests/guests` from their C sources, with real toolchains.

In: the sources in this repository; `ziglang` from PyPI (a C compiler with a libc for WASI); `@bytecodealliance/jco`
from npm (component tooling and a preview 1 adapter), which needs `node`. Out: the binaries that are committed.
Neither the tests nor the examples need this; run it after a change of a guest:

    python -m tools.build_guests            # build, write the binaries, print their hashes
    python -m tools.build_guests --check    # build, write nothing, fail where a committed binary differs
    python -m tools.build_guests --large    # those of other languages, which are not committed: large_guests.py

The tools are installed into `build/guests`, at the versions below, so the same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import large_guests
from tools.toolchains import JCO, ROOT, SCRATCH, install_npm, install_python, python

ZIG = "ziglang==0.17.1"

# Only what every engine has: `wasmer` knows none of the later proposals.
FEATURES = "-mcpu=mvp+bulk_memory+sign_ext+mutable_globals+nontrapping_fptoint"
C_FLAGS = ("-std=c17", "-Wall", "-Wextra", "-Werror", "-Oz", "-g", FEATURES)
REACTOR = ("--target=wasm32-wasi", "-mexec-model=reactor")
COMMAND = ("--target=wasm32-wasi", "-mexec-model=command")
ADAPTERS = {REACTOR: "reactor", COMMAND: "command"}
FREESTANDING = ("--target=wasm32-freestanding", "-nostdlib", "-Wl,--no-entry")


@dataclass(frozen=True)
class Guest:
    """One binary: its folder of C sources, where it goes and, for a component, the world it has in `<name>.wit`.

    A command's world is the adapter's: it exports `wasi:cli/run`.
    """

    name: str
    sources: Path
    output: Path
    flags: tuple[str, ...]
    is_component: bool


GUESTS = (
    Guest("people", ROOT / "examples/demo/guests/people", ROOT / "examples/demo/wasm/people.wasm", REACTOR, True),
    Guest("words", ROOT / "examples/demo/guests/words", ROOT / "examples/demo/wasm/words.wasm", FREESTANDING, False),
    Guest(
        "greeter", ROOT / "examples/greeter/guest", ROOT / "examples/greeter/src/demo/wasm/greeter.wasm", REACTOR, True
    ),
    Guest("zoo", ROOT / "tests/guests/zoo", ROOT / "tests/guests/zoo.wasm", REACTOR, True),
    Guest("files", ROOT / "tests/guests/files", ROOT / "tests/guests/files.wasm", COMMAND, False),
    Guest("files.component", ROOT / "tests/guests/files", ROOT / "tests/guests/files.component.wasm", COMMAND, True),
    Guest("tour", ROOT / "tests/guests/tour", ROOT / "tests/guests/tour.wasm", COMMAND, False),
    Guest("tour.component", ROOT / "tests/guests/tour", ROOT / "tests/guests/tour.component.wasm", COMMAND, True),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a committed binary differs")
    parser.add_argument("--large", action="store_true", help="build only those that are too large to be committed")
    arguments = parser.parse_args()
    if arguments.large:
        large_guests.build_all()
        return 0
    install_python(ZIG)
    install_npm(JCO)
    stale = [guest.name for guest in GUESTS if not deliver(guest, build(guest), arguments.check)]
    if stale:
        print(f"differ from their sources: {', '.join(stale)}", file=sys.stderr)
    return 1 if stale else 0


def deliver(guest: Guest, wasm: bytes, only_check: bool) -> bool:
    """Prints the hash; writes the binary, or says whether the committed one is the same."""
    print(f"{guest.output.relative_to(ROOT)}: {len(wasm)} bytes, sha256:{hashlib.sha256(wasm).hexdigest()}")
    if only_check:
        return guest.output.is_file() and guest.output.read_bytes() == wasm
    guest.output.parent.mkdir(parents=True, exist_ok=True)
    guest.output.write_bytes(wasm)
    return True


# ------------------------------------------------------------------------------------------------ steps


def build(guest: Guest) -> bytes:
    core = SCRATCH / f"{guest.name}.core.wasm"
    compile_c(guest, core)
    core.write_bytes(without_debug_info(core.read_bytes()))
    return componentize(guest, core) if guest.is_component else core.read_bytes()


def compile_c(guest: Guest, output: Path) -> None:
    sources = sorted(path.name for path in guest.sources.glob("*.c"))
    command = [str(python()), "-m", "ziglang", "cc", *guest.flags, *C_FLAGS, "-o", str(output), *sources]
    subprocess.run(command, cwd=guest.sources, check=True)


def componentize(guest: Guest, core: Path) -> bytes:
    output = SCRATCH / f"{guest.name}.wasm"
    jco = SCRATCH / "node_modules/@bytecodealliance/jco"
    adapter = jco / f"lib/wasi_snapshot_preview1.{ADAPTERS[guest.flags]}.wasm" if guest.flags in ADAPTERS else "-"
    script = shutil.copy(ROOT / "tools/componentize.mjs", SCRATCH)
    wit = "-" if guest.flags is COMMAND else guest.sources / f"{guest.name}.wit"
    subprocess.run(
        ["node", script, str(wit), guest.name, str(core), str(adapter), str(output)], cwd=SCRATCH, check=True
    )
    return output.read_bytes()


# ------------------------------------------------------------------------------------------------ sections


def without_debug_info(wasm: bytes) -> bytes:
    """The module without DWARF: 30 times smaller, and a backtrace still has its names from the section `name`."""
    return wasm[:8] + b"".join(section for name, section in sections(wasm) if not name.startswith(b".debug_"))


def sections(wasm: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each section's name (empty unless it is a custom one) and its bytes, header included."""
    start = 8
    while start < len(wasm):
        size, body = read_u32(wasm, start + 1)
        length, text = read_u32(wasm, body)
        yield (wasm[text : text + length] if wasm[start] == 0 else b""), wasm[start : body + size]
        start = body + size


def read_u32(data: bytes, offset: int) -> tuple[int, int]:
    """A LEB128 number and where it ends."""
    value = shift = 0
    while True:
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, offset


if __name__ == "__main__":
    raise SystemExit(main())
