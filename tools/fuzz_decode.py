"""Fuzz the component decoder and planner: `python tools/fuzz_decode.py SECONDS [SEED] [--peer] [--corpus PATH…]`.

In: how long, a seed, files or folders of `.wasm` and `.wast` to start from (by default the test guests and, where
they are, the conformance vectors), beside small ones whose parts grow. Out: a summary; the exit code is 1 if an input
gave anything but a result or an error of ours, took over a second of the processor, or allocated far more than its
size; with `--peer` also if wasmtime's validator takes what we refuse. Such inputs are written to `fuzz-findings/`.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from spec_tests.wast_directives import AssertFails, AssertRefused, Define, Source, directives  # noqa: E402
from tools.bombs import SHAPES  # noqa: E402
from wippywasm import binary  # noqa: E402
from wippywasm.binary.features import ALL, DEFAULT, Features  # noqa: E402
from wippywasm.engine import wat2wasm  # noqa: E402
from wippywasm.errors import BinaryError, UnsupportedFeatureError, WatSyntaxError  # noqa: E402
from wippywasm.plan import plan_component  # noqa: E402

SLOW = 1.0
MEASURED_SHARE = 10
"""One input in this many is measured for memory, which is slow."""
MEMORY_FLOOR = 4 << 20
MEMORY_FACTOR = 48
MAX_SEED_SIZE = 1 << 16
INTERESTING = (0x00, 0x01, 0x02, 0x05, 0x10, 0x3F, 0x40, 0x41, 0x42, 0x50, 0x67, 0x69, 0x70, 0x72, 0x7F, 0x80, 0xFF)
HUGE_COUNT = b"\xff\xff\xff\xff\x0f"


@dataclass
class Tally:
    """What the inputs came to."""

    accepted: int = 0
    """By the decoder."""
    refused: int = 0
    """By either."""
    slowest: float = 0.0
    most_memory: int = 0
    findings: list[str] = field(default_factory=list)


def seeds(paths: list[Path]) -> Iterator[bytes]:
    """The components among the files."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix == ".wasm":
                yield file.read_bytes()
            elif file.suffix == ".wast":
                yield from _sources(file)


def doubled() -> Iterator[bytes]:
    """Small components whose parts hold each other twice, level by level, and come to thousands."""
    for make in SHAPES.values():
        for levels in (4, 8, 12):
            yield wat2wasm(make(levels))


def _sources(file: Path) -> Iterator[bytes]:
    for directive in directives(file.read_text(encoding="utf-8")):
        source = getattr(directive, "source", None) or getattr(directive, "subject", None)
        if isinstance(directive, Define | AssertRefused | AssertFails) and isinstance(source, Source):
            try:
                yield source.wasm if source.wasm is not None else wat2wasm(source.text or "")
            except WatSyntaxError:
                continue


def mutate(random: random.Random, corpus: list[bytes]) -> bytes:
    """A seed with a few changes."""
    data = bytearray(random.choice(corpus))
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        _change(random, data, corpus)
    return bytes(data)


def _change(random: random.Random, data: bytearray, corpus: list[bytes]) -> None:
    at = random.randrange(len(data) + 1)
    length = random.choice((1, 1, 2, 4, 16, 64))
    match random.randrange(8):
        case 0 if data:
            data[at % len(data)] ^= 1 << random.randrange(8)
        case 1 if data:
            data[at % len(data)] = random.choice(INTERESTING)
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = random.randbytes(length)
        case 4:
            data[at:at] = data[at : at + length] * random.choice((1, 2, 50))
        case 5:
            other = random.choice(corpus)
            start = random.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + length]
        case 6:
            data[at : at + 1] = HUGE_COUNT
        case _:
            del data[at:]


def attempt(data: bytes, measured: bool, tally: Tally, features: Features = DEFAULT) -> str | None:
    """Decode and plan once; what was wrong with how that went, or None."""
    if measured:
        tracemalloc.start()
    started = time.thread_time()
    try:
        decoded = binary.decode(data, features=features)
        tally.accepted += 1
        plan_component(decoded)
    except BinaryError:
        tally.refused += 1
    except UnsupportedFeatureError:
        pass
    except Exception as error:  # noqa: BLE001 - any other exception is what we look for
        return f"{type(error).__name__}: {error}"
    finally:
        took = time.thread_time() - started
        peak = tracemalloc.get_traced_memory()[1] if measured else 0
        tracemalloc.stop()
    return _too_much(data, took, peak, measured, tally)


def _too_much(data: bytes, took: float, peak: int, measured: bool, tally: Tally) -> str | None:
    if measured:
        tally.most_memory = max(tally.most_memory, peak)
        allowed = MEMORY_FLOOR + MEMORY_FACTOR * len(data)
        return f"allocated {peak} bytes for an input of {len(data)}" if peak > allowed else None
    if took > SLOW:
        return f"took {took:.2f} s of the processor"
    tally.slowest = max(tally.slowest, took)
    return None


class Peer:
    """wasmtime's own component validator, with every feature that it can be asked for."""

    def __init__(self) -> None:
        import wasmtime

        config = wasmtime.Config()
        for name in dir(config):
            if name.startswith("wasm_"):
                setattr(config, name, True)
        self.engine = wasmtime.Engine(config)

    def differs(self, data: bytes) -> str | None:
        """Why the two disagree, where we refuse and the peer does not; it refuses more, since it reads code too."""
        import wasmtime
        from wasmtime import component

        try:
            binary.decode(data)
        except BinaryError as error:
            try:
                component.Component(self.engine, data)
            except wasmtime.WasmtimeError:
                return None
            return f"wasmtime accepts what we refuse: {error}"
        return None


def fuzz(corpus: list[bytes], seconds: float, seed: int, peer: Peer | None = None) -> Tally:
    """Mutate and decode until the time is over."""
    chance = random.Random(seed)
    tally = Tally()
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        count += 1
        data = mutate(chance, corpus) if chance.random() < 0.98 else chance.randbytes(chance.randrange(200))
        features = ALL if count % 4 == 0 else DEFAULT
        fault = attempt(data, count % MEASURED_SHARE == 0, tally, features) or (
            peer.differs(data) if peer is not None else None
        )
        if fault is not None:
            tally.findings.append(f"{fault} (input kept as {keep(data, len(tally.findings))})")
    return tally


def keep(data: bytes, number: int) -> Path:
    folder = Path("fuzz-findings")
    folder.mkdir(exist_ok=True)
    path = folder / f"decode-{os.getpid()}-{number}.wasm"
    path.write_bytes(data)
    return path


def default_corpus() -> list[Path]:
    vectors = Path(os.environ.get("WIPPYWASM_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
    return [path for path in (ROOT / "tests" / "guests", vectors / "component-model") if path.exists()]


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the component decoder.")
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--peer", action="store_true", help="compare with wasmtime's validator")
    parser.add_argument("--corpus", type=Path, nargs="+", default=default_corpus())
    chosen = parser.parse_args()
    corpus = [data for data in (*seeds(chosen.corpus), *doubled()) if 0 < len(data) <= MAX_SEED_SIZE]
    if not corpus:
        print("no seeds: name some with --corpus")
        return 2
    tally = fuzz(corpus, chosen.seconds, chosen.seed, Peer() if chosen.peer else None)
    print(f"{len(corpus)} seeds, {tally.accepted} inputs accepted, {tally.refused} refused")
    print(f"slowest {tally.slowest * 1000:.0f} ms, most memory {tally.most_memory >> 10} KiB")
    print("\n".join(tally.findings) or "nothing found")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
