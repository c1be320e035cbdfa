"""Strings, step by step as the specification has it: guests see every `realloc`, and the memory between two of them.

In and out: a string is (text, the encoding it came in, its tagged code units there).

Spec: `CanonicalABI.md`, `load_string`, `store_string` and what they call.
"""

from __future__ import annotations

from typing import TypeAlias

from wippywasm.abi.costs import STRING_FACTOR
from wippywasm.abi.reference_context import LiftLowerContext
from wippywasm.abi.traps import bad_string, bad_text
from wippywasm.layout import MAX_STRING_BYTE_LENGTH

String: TypeAlias = tuple[str, str, int]
UTF16_TAG = 0x8000_0000


def load_string_from_range(cx: LiftLowerContext, ptr: int, tagged_code_units: int) -> String:
    align, byte_length, encoding = _representation(cx.string_encoding, tagged_code_units)
    if byte_length > MAX_STRING_BYTE_LENGTH or ptr & (align - 1) or ptr + byte_length > cx.memory_size():
        bad_string(ptr, align, cx.boundary)
    cx.allowance.spend(byte_length * STRING_FACTOR[cx.string_encoding], "string")
    try:
        s = cx.read(ptr, byte_length).decode(encoding)
    except UnicodeDecodeError as error:
        raise bad_text(error) from error
    return s, cx.string_encoding, tagged_code_units


def _representation(string_encoding: str, tagged_code_units: int) -> tuple[int, int, str]:
    """Alignment, byte length and codec of a string."""
    if string_encoding == "utf8":
        return 1, tagged_code_units, "utf-8"
    if string_encoding == "utf16":
        return 2, 2 * tagged_code_units, "utf-16-le"
    if tagged_code_units & UTF16_TAG:
        return 2, 2 * (tagged_code_units ^ UTF16_TAG), "utf-16-le"
    return 2, tagged_code_units, "latin-1"


def host_string(text: str, string_encoding: str) -> String:
    """A text of the host as the string that needs the fewest steps to store: it comes in the destination's encoding."""
    if string_encoding == "utf8":
        return text, "utf8", len(text.encode())
    units = len(text.encode("utf-16-le")) // 2
    if string_encoding == "utf16":
        return text, "utf16", units
    return text, "latin1+utf16", len(text) if all(ord(c) < 256 for c in text) else units | UTF16_TAG


def store_string_into_range(cx: LiftLowerContext, v: String) -> tuple[int, int]:
    """Write a string to new memory; its pointer and tagged code units."""
    src, src_encoding, tagged = v
    simple, units = src_encoding, tagged
    if src_encoding == "latin1+utf16":
        simple, units = ("utf16", tagged ^ UTF16_TAG) if tagged & UTF16_TAG else ("latin1", tagged)
    match cx.string_encoding, simple:
        case ("utf8", "utf8"):
            return store_string_copy(cx, src, units, 1, 1, "utf-8")
        case ("utf8", "utf16"):
            return store_string_to_utf8(cx, src, units, 3 * units)
        case ("utf8", _):
            return store_string_to_utf8(cx, src, units, 2 * units)
        case ("utf16", "utf8"):
            return store_utf8_to_utf16(cx, src, units)
        case ("utf16", _):
            return store_string_copy(cx, src, units, 2, 2, "utf-16-le")
        case (_, "latin1"):
            return store_string_copy(cx, src, units, 1, 2, "latin-1")
        case (_, "utf16") if src_encoding == "latin1+utf16":
            return store_probably_utf16_to_latin1_or_utf16(cx, src, units)
    return store_string_to_latin1_or_utf16(cx, src, units)


def store_string_copy(
    cx: LiftLowerContext, src: str, src_code_units: int, unit_size: int, align: int, encoding: str
) -> tuple[int, int]:
    ptr = cx.allocate(align, unit_size * src_code_units)
    cx.write(ptr, src.encode(encoding))
    return ptr, src_code_units


def store_string_to_utf8(cx: LiftLowerContext, src: str, src_code_units: int, worst_case: int) -> tuple[int, int]:
    ptr = cx.allocate(1, src_code_units)
    encoded = src.encode()
    ascii_length = next((i for i, c in enumerate(src) if ord(c) >= 0x80), len(src))
    cx.write(ptr, encoded[:ascii_length])
    if ascii_length == len(src):
        return ptr, src_code_units
    ptr = cx.reallocate(ptr, src_code_units, 1, worst_case)
    cx.write(ptr + ascii_length, encoded[ascii_length:])
    if worst_case > len(encoded):
        ptr = cx.reallocate(ptr, worst_case, 1, len(encoded))
    return ptr, len(encoded)


def store_utf8_to_utf16(cx: LiftLowerContext, src: str, src_code_units: int) -> tuple[int, int]:
    worst_case = 2 * src_code_units
    ptr = cx.allocate(2, worst_case)
    encoded = src.encode("utf-16-le")
    cx.write(ptr, encoded)
    if len(encoded) < worst_case:
        ptr = cx.reallocate(ptr, worst_case, 2, len(encoded))
    return ptr, len(encoded) // 2


def store_string_to_latin1_or_utf16(cx: LiftLowerContext, src: str, src_code_units: int) -> tuple[int, int]:
    ptr = cx.allocate(2, src_code_units)
    narrow = next((i for i, c in enumerate(src) if ord(c) >= 0x100), len(src))
    cx.write(ptr, src[:narrow].encode("latin-1"))
    if narrow == len(src):
        if narrow < src_code_units:
            ptr = cx.reallocate(ptr, src_code_units, 2, narrow)
        return ptr, narrow
    worst_case = 2 * src_code_units
    ptr = cx.reallocate(ptr, src_code_units, 2, worst_case)
    cx.write(ptr, cx.read(ptr, narrow).decode("latin-1").encode("utf-16-le"))
    encoded = src.encode("utf-16-le")
    cx.write(ptr + 2 * narrow, encoded[2 * narrow :])
    if worst_case > len(encoded):
        ptr = cx.reallocate(ptr, worst_case, 2, len(encoded))
    return ptr, len(encoded) // 2 | UTF16_TAG


def store_probably_utf16_to_latin1_or_utf16(cx: LiftLowerContext, src: str, src_code_units: int) -> tuple[int, int]:
    byte_length = 2 * src_code_units
    ptr = cx.allocate(2, byte_length)
    encoded = src.encode("utf-16-le")
    cx.write(ptr, encoded)
    if any(ord(c) >= 0x100 for c in src):
        return ptr, len(encoded) // 2 | UTF16_TAG
    latin1_size = len(encoded) // 2
    cx.write(ptr, cx.read(ptr, byte_length)[::2])
    return cx.reallocate(ptr, byte_length, 1, latin1_size), latin1_size
