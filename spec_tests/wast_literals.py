"""Number literals of the text format → exact integers, and the bits of floats.

In: the text of a literal. Out: an integer within bounds, the bits of the float nearest to it; `LiteralError` for what
is no literal of its kind, or out of range. Everything is rounded once, from exact fractions: by way of a wider float,
or of Python's own `int` and `float`, some literals become a neighbour of what they stand for.
Spec: WebAssembly core, `text/values`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_NUM = "[0-9](?:_?[0-9])*"
_HEXNUM = "[0-9A-Fa-f](?:_?[0-9A-Fa-f])*"
_INTEGER = re.compile(rf"([+-]?)(?:0x({_HEXNUM})|({_NUM}))")
_NAN = re.compile(rf"nan(?::0x({_HEXNUM}))?")
_DECIMAL = re.compile(rf"({_NUM})(?:\.({_NUM})?)?(?:[eE]([+-]?{_NUM}))?")
_HEXADECIMAL = re.compile(rf"0x({_HEXNUM})(?:\.({_HEXNUM})?)?(?:[pP]([+-]?{_NUM}))?")
_DIGITS_AT_ONCE = 4000
"""Python refuses to take many more for an integer."""
_FAR = 5000
"""Exponents of which nothing is left but zero, or a number out of range."""


class LiteralError(ValueError):
    """Not a literal, or not one of this type."""


@dataclass(frozen=True)
class FloatFormat:
    """A binary format of IEEE 754, by the widths of its exponent and of its fraction in bits."""

    exponent: int
    fraction: int

    @property
    def infinity(self) -> int:
        return ((1 << self.exponent) - 1) << self.fraction

    @property
    def sign(self) -> int:
        return 1 << (self.exponent + self.fraction)

    @property
    def canonical(self) -> int:
        """The payload of the canonical NaN; an arithmetic one has this bit, and maybe others."""
        return 1 << (self.fraction - 1)

    @property
    def smallest(self) -> int:
        """The power of two that is the smallest number above zero."""
        return 2 - (1 << (self.exponent - 1)) - self.fraction


F32 = FloatFormat(8, 23)
F64 = FloatFormat(11, 52)


def integer(text: str, least: int, most: int) -> int:
    """An integer literal."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        raise LiteralError(f"`{text}` is not an integer")
    sign, hexadecimal, decimal = found.groups()
    size = _hexadecimal(hexadecimal) if hexadecimal else _decimal(decimal)
    value = -size if sign == "-" else size
    if not least <= value <= most:
        raise LiteralError(f"`{text}` is out of range: {least} to {most}")
    return value


def float_bits(text: str, format: FloatFormat) -> int:
    """The bits of a float literal."""
    sign = format.sign if text.startswith("-") else 0
    return sign | _magnitude(text[1:] if text.startswith(("+", "-")) else text, format)


def _magnitude(text: str, format: FloatFormat) -> int:
    if text == "inf":
        return format.infinity
    nan = _NAN.fullmatch(text)
    if nan is not None:
        return format.infinity | (_payload(nan[1], format) if nan[1] else format.canonical)
    found, base, per_digit = _HEXADECIMAL.fullmatch(text), 2, 4
    if found is None:
        found, base, per_digit = _DECIMAL.fullmatch(text), 10, 1
    if found is None:
        raise LiteralError(f"`{text}` is not a float")
    whole, part, power = found[1], found[2] or "", found[3] or "0"
    digits = _hexadecimal(whole + part) if base == 2 else _decimal(whole + part)
    bits = _nearest(digits, base, _signed(power) - per_digit * len(part.replace("_", "")), format)
    if bits >= format.infinity:
        raise LiteralError(f"`{text}` is out of range")
    return bits


def _payload(text: str, format: FloatFormat) -> int:
    payload = _hexadecimal(text)
    if not 0 < payload < 1 << format.fraction:
        raise LiteralError(f"`nan:0x{text}` has no payload of {format.fraction} bits")
    return payload


def _nearest(digits: int, base: int, power: int, format: FloatFormat) -> int:
    """The bits of digits * base**power, to nearest, ties to even; at least infinity's where there is no such float."""
    if digits == 0 or power + digits.bit_length() < -_FAR:
        return 0
    if power > _FAR:
        return format.infinity
    value = digits * Fraction(base) ** power
    log = value.numerator.bit_length() - value.denominator.bit_length()
    if value < Fraction(2) ** log:
        log -= 1
    unit = max(log - format.fraction, format.smallest)
    return ((unit - format.smallest) << format.fraction) + round(value / Fraction(2) ** unit)


def _signed(text: str) -> int:
    size = _decimal(text.lstrip("+-"))
    return -size if text.startswith("-") else size


def _hexadecimal(text: str) -> int:
    return int(text.replace("_", ""), 16)


def _decimal(text: str) -> int:
    digits, value = text.replace("_", ""), 0
    for start in range(0, len(digits), _DIGITS_AT_ONCE):
        piece = digits[start : start + _DIGITS_AT_ONCE]
        value = value * 10 ** len(piece) + int(piece)
    return value
