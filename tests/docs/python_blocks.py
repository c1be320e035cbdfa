"""Python blocks of pages: run as they stand, and held to what their comments say.

In: the text of a block, the names it may use. Out: nothing, or an `AssertionError` with the line. The comment behind
a statement that is an expression is checked:

    print(6 * 7)  # 42                      what is printed
    guest.call("f", "x")  # TrapError: …    what is raised; `…` stands for any text
    component.size  # 12                    the value, where the comment is a literal; else the comment is prose
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from wippywasm.errors import WippyError

RAISED = re.compile(r"([A-Z]\w+): ")


def run_python(source: str, name: str, names: dict[str, Any], wait: Callable[[Any], Any]) -> None:
    """Run `source` with `names`; `wait` runs a coroutine, for blocks that await at their top."""
    checks = Checks(comments_of(source), name)
    tree = ast.fix_missing_locations(checks.visit(ast.parse(source, name)))
    code = compile(tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    names.update(_print=checks.print, _raises=checks.raises, _equal=checks.equal)
    result = eval(code, names)
    if inspect.iscoroutine(result):
        wait(result)
    assert not checks.open, f"{name}: never reached: the lines {sorted(checks.open)}"


def comments_of(source: str) -> Mapping[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


class Checks(ast.NodeTransformer):
    """Turns statements with a comment into checks, and has these. `open` are the lines that were not reached yet."""

    def __init__(self, comments: Mapping[int, str], name: str) -> None:
        self._comments, self._name = comments, name
        self.open: set[int] = set()

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        line = node.end_lineno or 0
        comment = self._comments.get(line)
        if comment is None:
            return node
        match node.value:
            case ast.Call(func=ast.Name(id="print")) as call:
                call.func = self._call("_print", line)
            case _ if RAISED.match(comment):
                return ast.With([ast.withitem(self._call("_raises", line))], [node])
            case _ if is_literal(comment):
                return ast.Expr(self._call("_equal", line, node.value))
        return node

    def _call(self, name: str, line: int, *args: ast.expr) -> ast.Call:
        self.open.add(line)
        return ast.Call(ast.Name(name, ast.Load()), [ast.Constant(line), *args], [])

    def print(self, line: int) -> Callable[..., None]:
        return lambda *values: self._expect(line, " ".join(map(str, values)))

    @contextmanager
    def raises(self, line: int) -> Iterator[None]:
        try:
            yield
        except WippyError as error:
            self._expect(line, f"{type(error).__name__}: {error}")
        else:
            raise AssertionError(f"{self._name}:{line}: nothing was raised")

    def equal(self, line: int, value: Any) -> None:
        self.open.discard(line)
        expected = ast.literal_eval(self._comments[line])
        assert value == expected, f"{self._name}:{line}: {value!r}"

    def _expect(self, line: int, text: str) -> None:
        self.open.discard(line)
        assert fits(text, self._comments[line]), f"{self._name}:{line}: {text}"


def is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


def fits(text: str, shown: str) -> bool:
    """Whether `text` is what is shown, where `…` stands for any text, on a line of its own for any lines."""
    pattern = re.escape(shown.strip()).replace("…", "(?s:.*)")
    return re.fullmatch(pattern, text.strip()) is not None
