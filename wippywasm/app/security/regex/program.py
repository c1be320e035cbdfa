"""The tree of a pattern to instructions.

In: nodes. Out: a list of instructions, of bounded length however often the pattern repeats what.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from wippywasm.app.security.regex.charset import Charset
from wippywasm.app.security.regex.nodes import Begin, Choice, End, Node, Repeat, Sequence
from wippywasm.app.security.regex.parser import RegexSyntaxError
from wippywasm.dataclass import dataclass

MAX_INSTRUCTIONS = 500


@dataclass(frozen=True)
class Fork:
    """Goes on at each of these places."""

    to: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """The pattern is through."""


Instruction: TypeAlias = Charset | Begin | End | Fork | Found
"""All but forks go on with the next one."""


@dataclass
class Program:
    code: list[Instruction] = field(default_factory=list)

    def add(self, instruction: Instruction) -> int:
        """Its place; raises RegexSyntaxError for one too many."""
        if len(self.code) >= MAX_INSTRUCTIONS:
            raise RegexSyntaxError(f"the pattern is too large: it takes more than {MAX_INSTRUCTIONS} steps", 0)
        self.code.append(instruction)
        return len(self.code) - 1


def compile_node(node: Node) -> list[Instruction]:
    """The program of a pattern; raises RegexSyntaxError where it is too large."""
    program = Program()
    _add(node, program)
    program.add(Found())
    return program.code


def _add(node: Node, program: Program) -> None:
    match node:
        case Sequence(items):
            for item in items:
                _add(item, program)
        case Choice(items):
            _add_choice(items, program)
        case Repeat(item, least, most):
            for _ in range(least):
                _add(item, program)
            if most is None:
                _add_loop(item, program)
            else:
                _add_optional(item, most - least, program)
        case _:
            program.add(node)


def _add_choice(items: tuple[Node, ...], program: Program) -> None:
    fork = program.add(Fork(()))
    starts, ends = [], []
    for item in items:
        starts.append(len(program.code))
        _add(item, program)
        ends.append(program.add(Fork(())))
    program.code[fork] = Fork(tuple(starts))
    for end in ends:
        program.code[end] = Fork((len(program.code),))


def _add_loop(item: Node, program: Program) -> None:
    fork = program.add(Fork(()))
    _add(item, program)
    back = program.add(Fork((fork,)))
    program.code[fork] = Fork((fork + 1, back + 1))


def _add_optional(item: Node, times: int, program: Program) -> None:
    forks = []
    for _ in range(times):
        forks.append(program.add(Fork(())))
        _add(item, program)
    for fork in forks:
        program.code[fork] = Fork((fork + 1, len(program.code)))
