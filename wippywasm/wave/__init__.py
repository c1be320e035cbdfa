"""WAVE, the text form of component model values: `{name: "x", tags: [some(1), none]}`.

In: text and types, or values and types. Out: values of SPEC section 5, or text. Types say what a text means, so there
is nothing to guess: `ok` is a case of an enum or the good half of a result.

    tokens, strings         text to tokens
    parser                  tokens to values
    printer                 values to text
    numbers                 the fewest digits of a float

Spec: the WebAssembly Value Encoding; SPEC sections 5 and 13.
"""

from wippywasm.wave.numbers import shortest_single
from wippywasm.wave.parser import parse_arguments, parse_value
from wippywasm.wave.printer import print_value

__all__ = ["parse_arguments", "parse_value", "print_value", "shortest_single"]
