"""Shell blocks of pages: commands after `$ `, each followed by what it prints, if that is shown.

In: the text of a block, the folder and variables it starts with. Out: those it ends with, or an `AssertionError`. A
command has to succeed unless `# exit code N` stands behind it. Output is compared where it is shown: standard output
and error as they come, `…` for anything.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.python_blocks import fits

EXIT_CODE = re.compile(r"# exit code (\d+)$")
TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Shell:
    """What one command leaves to the next: where it is, and what it exported."""

    folder: Path
    environment: Mapping[str, str]


def run_console(text: str, place: str, shell: Shell) -> Shell:
    for command, shown in commands_of(text, place):
        shell = run_command(command, shown, place, shell)
    return shell


def commands_of(text: str, place: str) -> Iterator[tuple[str, str]]:
    """Pairs of a command (with its `> ` lines) and the output that is shown."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert parts[0] == "", f"{place}: a console block begins with `$ `"
    for part in parts[1:]:
        lines = part.splitlines()
        more = next((i for i, line in enumerate(lines[1:], start=1) if not line.startswith("> ")), len(lines))
        command = "\n".join([lines[0], *(line.removeprefix("> ") for line in lines[1:more])])
        yield command, "\n".join(lines[more:])


def run_command(command: str, shown: str, place: str, shell: Shell) -> Shell:
    with tempfile.TemporaryFile("w+") as after, tempfile.TemporaryFile("w+") as printed:
        code = subprocess.run(
            ["bash", "-c", f'{command}\ncode=$?\n(pwd; env -0) >&{after.fileno()}\nexit "$code"'],
            cwd=shell.folder, env=shell.environment, pass_fds=[after.fileno()], timeout=TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, check=False,
        ).returncode  # fmt: skip
        printed.seek(0)
        after.seek(0)
        output, (folder, exported) = printed.read(), after.read().split("\n", 1)
    expected = EXIT_CODE.search(command)
    assert code == int(expected[1] if expected else 0), f"{place}: {command}: exit code {code}\n{output}"
    assert not shown.strip() or fits(output, shown), f"{place}: {command} printed\n{output}"
    return Shell(Path(folder), dict(line.split("=", 1) for line in exported.split("\0") if "=" in line))
