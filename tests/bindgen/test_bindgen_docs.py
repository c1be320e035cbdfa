"""Documentation in packages, and the example in docs/bindgen.md, which is well typed.

That the example does what it says, `tests/docs` finds.
"""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bindgen.typed import ROOT, mypy
from wippywasm.bindgen import generate
from wippywasm.wit import parse_text

PAGE = (ROOT / "docs/bindgen.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_well_typed(tmp_path: Path) -> None:
    _, _, _, source, _, name = shlex.split(block("console"))
    subprocess.run(
        [sys.executable, "-m", "wippywasm", "bindgen", str(ROOT / source), "-o", str(tmp_path / name)], check=True
    )
    (tmp_path / "example.py").write_text(block("python"))
    ran = mypy("--strict", f"--cache-dir={tmp_path / 'cache'}", str(tmp_path))
    assert (ran.stderr, ran.returncode) == ("", 0), ran.stdout


@pytest.mark.parametrize("quotes", ['"', '""', '"""', '""""', '"' * 7, '\\"""', '\\"'])
@pytest.mark.parametrize("words", ["ends {}", "{} begins", "is {} inside", "has\n{}"])
def test_any_quotes_in_documentation(quotes: str, words: str) -> None:
    text = words.format(quotes)
    docs = "\n".join(f"/// {line}" for line in text.split("\n"))
    world = parse_text(f"package a:b; interface t {{\n{docs}\nrecord s {{ a: u8 }} }} world w {{ import t; }}").world()
    tree = ast.parse(generate(world, "wippywasm bindgen")["imports/t.py"])
    record = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    assert ast.get_docstring(record) == text


DOCUMENTED = """package a:b;
/// Types that all share.
interface types { record s { a: u8 } }
interface store {
  use types.{s};
  resource bucket {
    /// Opens a bucket.
    constructor(first: s);
  }
}
world w { import types; import store; export store; }
"""


def test_all_documentation_is_there() -> None:
    files = generate(parse_text(DOCUMENTED).world(), "wippywasm bindgen")
    types = ast.get_docstring(ast.parse(files["imports/types.py"]))
    assert types == "The interface `a:b/types`, as `a:b/w` imports it.\n\nTypes that all share."
    assert files["imports/store.py"].count("Opens a bucket.") == 1
    assert files["exports/store.py"].count("Opens a bucket.") == 1


def test_a_world_without_exports_has_no_empty_statement() -> None:
    world = parse_text("package a:b; world w { import f: func(); }").world()
    statements = ast.walk(ast.parse(generate(world, "wippywasm bindgen")["__init__.py"]))
    assert not any(isinstance(node, ast.Pass) for node in statements)
