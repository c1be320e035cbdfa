"""The command line itself: help, engines, wrong commands and options. Spec: SPEC section 13."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from tests.cli.conftest import Run
from wippywasm import engine as engines
from wippywasm.cli.commands import cli, run_main
from wippywasm.cli.failures import exit_code
from wippywasm.cli.settings import Settings
from wippywasm.errors import GuestExit


def test_help_names_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    for command in ("run", "call", "lint", "wit", "engines"):
        assert f"\n  {command} " in ran.out


@pytest.mark.parametrize("command", ["run", "call", "lint", "engines", "wit"])
def test_every_command_has_help(command: str, run: Run) -> None:
    ran = run(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: wippywasm {command} ")


def test_the_list_of_commands_has_their_own_words_and_loads_none(run: Run) -> None:
    context = click.Context(cli, max_content_width=70)
    formatter = context.make_formatter()
    click.Group.format_commands(cli, context, formatter)
    assert len(cli.list_commands(context)) == 10
    listed = context.make_formatter()
    cli.format_commands(context, listed)
    assert listed.getvalue() == formatter.getvalue()
    probe = "import sys; from wippywasm.cli.commands import cli, run_main; run_main(['--help'])"
    probe += "; print([m for m in ('asyncio', 'wippywasm.wit', 'wippywasm.app.application') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    assert out.endswith("\n[]\n")


def test_no_command_shows_the_help(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_main([]) == 2
    assert "Usage: wippywasm" in capfd.readouterr().err


def test_version(run: Run) -> None:
    assert run("--version").out.startswith("wippywasm ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lnit"], "there is no command 'lnit'; did you mean 'lint'?"),
        (["zzz"], "there is no command 'zzz'"),
        (["call"], "Missing argument 'ID'"),
        (["lint", "--nope"], "No such option"),
        (["lint", "a", "b"], "unexpected extra argument"),
    ],
)
def test_wrong_uses(arguments: list[str], words: str, run: Run) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert words in ran.err
    assert "hint: see 'wippywasm" in ran.err


def test_an_engine_that_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_main(["--engine", "wasmtine", "lint"]) == 2
    assert "no engine is named 'wasmtine'" in capfd.readouterr().err


def test_engines(run: Run) -> None:
    ran = run("engines")
    assert ran.code == 0
    (default,) = [info for info in engines.available() if info.default]
    row = next(line for line in ran.out.splitlines() if line.startswith(f"{default.name} "))
    assert row.split()[1:3] == [default.version, "default"]
    listed = json.loads(run("engines", "--json").out)
    assert [info["name"] for info in listed] == [info.name for info in engines.available()]
    assert "multi-value" in listed[0]["features"]


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (GuestExit(7), 7),
        (GuestExit(256), 255),
        (RuntimeError("oops"), 1),
        (SystemExit(3), 3),
    ],
)
def test_every_ending_has_its_code(error: BaseException, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: _raise(error), Settings()) == code
    assert "Traceback" not in capfd.readouterr().err


def test_a_bug_says_whose_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: _raise(RuntimeError("oops")), Settings()) == 1
    err = capfd.readouterr().err
    assert err.startswith("error: unexpected RuntimeError: oops\n")
    assert "this is a fault of wippywasm or of a host function" in err
