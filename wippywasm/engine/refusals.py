"""Why an engine refuses a module: bytes that are wrong, or a proposal that the engine does not have.

In: a module's bytes. Out: `MalformedError`, `ValidationError` or `UnsupportedFeatureError`. wasmtime, which is always
installed and knows every proposal, is the judge: its validator is run with proposals switched off one at a time.
"""

from __future__ import annotations

import re
from functools import lru_cache

import wasmtime

from wippywasm.binary.constants import has_extended_const
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.features import LABELS, SINCE_2_0, labels
from wippywasm.engine.wasmtime_config import SWITCHES, make_config
from wippywasm.errors import BinaryError, MalformedError, UnsupportedFeatureError, ValidationError

_OFFSET = re.compile(r"\(?at offset (0x[0-9a-f]+|\d+)\)?:?\s*")
# How the validator words what the grammar of the binary format already refuses. Names of exports are told as they are.
_MALFORMED = re.compile(
    r"(?!duplicate ).*(unexpected end|end-of-file|magic header|binary version|malformed|invalid leading byte|"
    r"integer representation|integer too large|length out of bounds|illegal opcode|zero byte|section size|out of order|"
    r"control frames remain at end|operators remaining after end|`else` found outside|invalid value type|"
    r"invalid heap type|invalid flags byte in|invalid cast flags|inconsistent lengths|data count section required|"
    r"data section is absent|trailing bytes at end of section|unexpected content in the)"
)


@lru_cache(maxsize=64)
def _validator(without: frozenset[str]) -> wasmtime.Engine:
    return wasmtime.Engine(make_config(without))


def refusal(wasm: bytes, without: frozenset[str] = frozenset()) -> str | None:
    """The validator's complaint about these bytes, with the proposals `without` switched off; None if there is none."""
    error = capi.module_validate(capi.pointer_of(_validator(without)), wasm, len(wasm))
    return str(capi.take_error(error)) if error else None


def binary_error(message: str) -> BinaryError:
    """The typed error for a validator's complaint, with the offset it names."""
    found = list(_OFFSET.finditer(message))
    offset = int(found[-1].group(1), 0) if found else 0
    text = _OFFSET.sub("", _innermost(message)).strip().removeprefix("Invalid input WebAssembly code").strip()
    kind = MalformedError if _MALFORMED.match(text) else ValidationError
    return kind(text, offset)


def _innermost(message: str) -> str:
    """The last cause of a message that lists its causes."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    return re.sub(r"^\d+: ", "", lines[-1]) if lines else "the engine refuses the module"


def missing_features(wasm: bytes, lacking: frozenset[str]) -> list[str]:
    """Which of the proposals `lacking` a valid module needs, in the order of `features.LABELS`."""
    needed = [name for name in SWITCHES if name in lacking and refusal(wasm, frozenset({name})) is not None]
    if "gc" in needed and "function-references" in needed:
        needed.remove("function-references")  # can't be off without the other, so this says nothing
    return needed


def needed_features(wasm: bytes) -> list[str]:
    """Which proposals since WebAssembly 2.0 a module needs, in the order of `features.LABELS`.

    Raises MalformedError or ValidationError for a module that is not valid whatever is switched on.
    """
    needed: set[str] = set()
    if refusal(wasm, SINCE_2_0.intersection(SWITCHES)) is not None:
        check_valid(wasm)
        needed.update(missing_features(wasm, SINCE_2_0))
    if has_extended_const(wasm):  # takes long for more segments than are valid
        needed.add("extended-const")
    return [name for name in LABELS if name in needed]


def check_valid(wasm: bytes) -> None:
    """Refuse what is invalid, whatever proposals an engine has."""
    complaint = refusal(wasm)
    if complaint is not None:
        raise binary_error(complaint)


def check(wasm: bytes, engine: str, features: frozenset[str]) -> None:
    """Refuse what is invalid, or needs a proposal that an engine with `features` lacks.

    Extended constants have no switch in the validator; an engine without them has to refuse them itself.
    """
    lacking = SINCE_2_0 - features
    if refusal(wasm, lacking.intersection(SWITCHES)) is None:
        return
    check_valid(wasm)
    raise unsupported(missing_features(wasm, lacking) or sorted(lacking), engine)


def unsupported(names: list[str], engine: str) -> UnsupportedFeatureError:
    """The error that names these proposals and the engine that has them."""
    return UnsupportedFeatureError(labels(names), engine, hint="use --engine wasmtime")
