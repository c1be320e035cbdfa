"""How many arguments a host function takes, however it is decorated."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import pytest

from wippywasm.instance.arity import accepts


def passed_on(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any) -> Any:
        return function(*args)

    return call


class Host:
    def plain(self, x: int) -> int:
        return x

    @passed_on
    def wrapped(self, x: int) -> int:
        return x

    @lru_cache  # noqa: B019  (there is one host)
    def kept(self, x: int) -> int:
        return x

    @staticmethod
    @passed_on
    def static(x: int) -> int:
        return x


HOST = Host()
FUNCTIONS = {
    "plain": HOST.plain,
    "wrapped": HOST.wrapped,
    "kept": HOST.kept,
    "static": HOST.static,
    "around a method": passed_on(HOST.plain),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_of_one_argument(function: Callable[..., Any]) -> None:
    assert [count for count in range(4) if accepts(function, count)] == [1]
