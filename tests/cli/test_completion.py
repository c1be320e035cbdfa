"""Shell completion: scripts, and what they ask the command for. Spec: SPEC section 13."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wippywasm.cli.commands import run_main

ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "examples/demo"


def complete(words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The candidates for the last of `words`, as bash gets them."""
    monkeypatch.setenv("_WIPPYWASM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    assert run_main([]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return [line.partition(",")[2] for line in out.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("wippywasm ins", ["inspect"]),
        ("wippywasm -C {demo} call demo:spl", ["demo:split_words"]),
        ("wippywasm call -C {demo} demo:com", ["demo:compute", "demo:complain"]),
        ("wippywasm -C {demo} call nope:", []),
        ("wippywasm -C /none call d", []),
        ("wippywasm -C {demo} run de", ["demo", "de"]),
        ("wippywasm -C {demo} run l", ["list", "l"]),
        ("wippywasm engines --js", ["--json"]),
        ("wippywasm call --engine wasm", ["wasmtime", "wasmer"]),
    ],
)
def test_candidates(
    words: str, found: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert complete(words.format(demo=DEMO), monkeypatch, capfd) == found


def test_a_broken_app_completes_what_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "_index.yaml").write_text("namespace: t\nentries:\n  - {name: f, kind: function.lua, metod: x}\n")
    (tmp_path / "b.yaml").write_text("namespace: [")
    assert complete(f"wippywasm -C {tmp_path} call t", monkeypatch, capfd) == ["t:f"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(shell: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("_WIPPYWASM_COMPLETE", f"{shell}_source")
    assert run_main([]) == 0
    assert "_WIPPYWASM_COMPLETE" in capfd.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_an_id_with_its_colon(tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "wippywasm"
    script = f"""
        PATH={command.parent}:$PATH
        source <(_WIPPYWASM_COMPLETE=bash_source wippywasm)
        case $COMP_WORDBREAKS in *:*) echo "bash still breaks words at colons" ;; esac
        COMP_WORDS=(wippywasm -C {DEMO} call demo:spl) COMP_CWORD=4
        _wippywasm_completion wippywasm
        echo "${{COMPREPLY[@]}}"
    """
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("demo:split_words\n", "")
