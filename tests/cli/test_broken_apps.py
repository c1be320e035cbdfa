"""Apps that are wrong, each in its own way: one clear error each, with place and remedy, and nothing else."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.cli.broken_apps import ADD, BROKEN, digest, entries, wasm_app
from tests.cli.broken_http import BROKEN_HTTP
from tests.cli.conftest import Run, Write

ALL = {**BROKEN, **BROKEN_HTTP}


@pytest.mark.parametrize("name", ALL)
def test_one_clear_error(name: str, write_app: Write, run: Run) -> None:
    broken = ALL[name]
    app = write_app(broken.files)
    ran = run("lint", app)
    *problems, summary = ran.err.splitlines()
    assert ran.code == 2, ran
    assert (ran.out, len(problems)) == ("", 1), ran.err
    assert problems[0].startswith(f"error: {app}/{broken.place}: "), ran.err
    for words in broken.words:
        assert words in problems[0], ran.err
    assert summary == "1 problem; nothing was started"
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("command", [["run"], ["run", "list"], ["call", "t:x"], ["run", "go"]])
def test_no_command_starts_a_broken_app(command: list[str], write_app: Write, run: Run) -> None:
    app = write_app(BROKEN["unknown kind"].files)
    ran = run("-C", app, *command)
    assert ran.code == 2
    assert "did you mean 'function.wasm'?" in ran.err
    assert ran.err.endswith("1 problem; nothing was started\n")


def test_all_problems_at_once_in_order(write_app: Write, run: Run) -> None:
    app = write_app(
        {
            "src/a/_index.yaml": entries("- {name: x, kind: nope}", "- {name: y, kind: function.wat}"),
            "src/b.yaml": BROKEN["bad YAML"].files["_index.yaml"],
            "src/c.yaml": "namespace: c\nname: solo\nkind: registry.entry\n",
            "src/other.yaml": "services:\n  web: {image: x}\n",
            "src/helm.yaml": "a: {{ .Values.x }}\n",
            "src/.hidden/_index.yaml": "namespace: [",
            "src/node_modules/x/_index.yaml": "namespace: [",
            "elsewhere/_index.yaml": "namespace: [",
        }
    )
    ran = run("lint", app)
    places = re.findall(r"^error: (.*?): ", ran.err, re.MULTILINE)
    root = app / "src"
    assert places == [
        f"{root}/a/_index.yaml:3",
        f"{root}/a/_index.yaml:4",
        f"{root}/a/_index.yaml:4",
        f"{root}/b.yaml:4",
    ]
    assert ran.err.endswith("4 problems; nothing was started\n")


def test_an_empty_folder_and_a_missing_one(tmp_path: Path, run: Run) -> None:
    ran = run("lint", tmp_path)
    assert (ran.code, "no definition file here" in ran.err) == (2, True)
    ran = run("-C", tmp_path / "nope", "call", "t:x")
    assert (ran.code, "there is no such folder" in ran.err) == (2, True)


def test_a_pipe_is_not_read(tmp_path: Path, write_app: Write, run: Run) -> None:
    app = write_app({"_index.yaml": wasm_app(b"")})
    (app / "wasm").mkdir()
    os.mkfifo(app / "wasm/x.wasm")
    ran = run("lint", app)
    assert (ran.code, "'x.wasm' is not a regular file" in ran.err) == (2, True)


def test_links_that_leave_are_not_followed(tmp_path: Path, write_app: Write, run: Run) -> None:
    (tmp_path / "secret.lua").write_text("return 1")
    app = write_app(
        {"_index.yaml": "namespace: t\nentries:\n  - {name: x, kind: library.lua, source: file://in.lua}\n"}
    )
    (app / "in.lua").symlink_to(tmp_path / "secret.lua")
    ran = run("lint", app)
    assert (ran.code, "leads outside the app folder" in ran.err) == (2, True)


def test_a_link_to_itself(write_app: Write, run: Run) -> None:
    app = write_app({"_index.yaml": "namespace: t\nentries:\n  - {name: x, kind: library.lua, source: file://x.lua}\n"})
    (app / "x.lua").symlink_to("x.lua")
    ran = run("lint", app)
    assert ran.code == 2
    assert "x.lua" in ran.err


def test_hash_is_checked_before_anything_is_compiled(write_app: Write, run: Run) -> None:
    app = write_app({"_index.yaml": wasm_app(b"not wasm", hash=digest(ADD)), "wasm/x.wasm": b"not wasm"})
    ran = run("lint", app)
    assert "has another hash" in ran.err
    assert "not a wasm module" not in ran.err


def test_problems_as_json(write_app: Write, run: Run) -> None:
    app = write_app(BROKEN["unknown kind"].files)
    ran = run("--json", "lint", app)
    assert ran.code == 2
    (problem,) = json.loads(ran.out)["problems"]
    assert problem["line"] == 4
    assert (problem["entry"], problem["field"], problem["hint"]) == ("t:x", "kind", "did you mean 'function.wasm'?")
    ran = run("--json", "-C", app, "call", "t:x")
    assert json.loads(ran.err)["error"]["problems"] == [problem]
