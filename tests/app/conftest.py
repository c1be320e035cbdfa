"""What the app tests share: an app written on the spot, loaded on one engine after the other."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from wippywasm.app import App
from wippywasm.engine.port import Engine

LoadApp = Callable[..., App]


@pytest.fixture
def load_app(tmp_path: Path, engine: Engine) -> LoadApp:
    """Loads an app whose `_index.yaml` has these entries, in namespace `t`."""

    def load(entries: str, *overrides: str, **files: str | bytes) -> App:
        indented = textwrap.indent(textwrap.dedent(entries), "  ")
        (tmp_path / "_index.yaml").write_text(f"namespace: t\nentries:\n{indented}")
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return App.load(tmp_path, engine=engine.name, overrides=overrides)

    return load
