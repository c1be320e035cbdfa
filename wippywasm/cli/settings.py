"""The options that every command has, before or after its name.

In: the command line. Out: one `Settings` for the whole run. Spec: SPEC section 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, TypeVar

import click

from wippywasm.dataclass import dataclass
from wippywasm.engine.features import ENGINE_FEATURES

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Settings:
    """What `-C`, `--engine`, `-v`, `--json`, `-o` and `--log` said."""

    directory: str = "."
    engine: str | None = None
    verbosity: int = 0
    is_json: bool = False
    overrides: list[str] = field(default_factory=list)
    log: str | None = None
    """How the app's logs are written, `console` or `json`; None for what `.wippy.yaml` says."""


def settings_of(context: click.Context) -> Settings:
    """The settings of this run."""
    return context.find_root().ensure_object(Settings)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """A callback that keeps an option in the settings, where it was given."""

    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value in (None, False, 0, ()):
            return
        settings = settings_of(context)
        if isinstance(value, tuple):
            settings.overrides.extend(value)
        elif name == "verbosity":
            settings.verbosity += value
        else:
            setattr(settings, name, value)

    return keep


def _option(name: str, *declarations: str, **attributes: Any) -> Callable[[F], F]:
    parameter = f"option_{name}"
    return click.option(parameter, *declarations, callback=_keep(name), expose_value=False, **attributes)


def _engines(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in ENGINE_FEATURES if name.startswith(incomplete)]


_OVERRIDES = _option(
    "overrides", "-o", "--override", multiple=True, metavar="NS:NAME:FIELD=VALUE", help="Replace a field."
)
_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    _option("directory", "-C", metavar="DIR", help="The app's folder; else the current one."),
    _option(
        "engine",
        "--engine",
        metavar="NAME",
        help="wasmer or wasmtime; see 'wippywasm engines'.",
        shell_complete=_engines,
    ),
    _OVERRIDES,
    _option("is_json", "--json", is_flag=True, help="Answers and errors as JSON."),
    _option("verbosity", "-v", "--verbose", count=True, help="Say more; twice for Python tracebacks."),
)

log_option = _option("log", "--log", type=click.Choice(("console", "json")), help="How the app's logs are written.")
"""For the commands that run what an app has."""


def common_options(command: F) -> F:
    """Give a command the options that all have."""
    return _with(_OPTIONS, command)


def file_options(command: F) -> F:
    """Give them to a command that is about files, not about an app: without overrides, as `-o` is the output there."""
    return _with([option for option in _OPTIONS if option is not _OVERRIDES], command)


def _with(options: Sequence[Callable[[Any], Any]], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command
