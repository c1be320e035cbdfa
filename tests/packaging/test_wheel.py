"""The wheel and the source archive hold all that runs: installed into a fresh environment, outside of the checkout.

What it depends on is taken from this environment, so that nothing is fetched. The wheel is built from the unpacked
archive.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def run(*command: str | Path, folder: Path) -> str:
    """Standard output; an AssertionError with standard error where it fails. No variable leads back to the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{command}: {ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, folder=ROOT)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(archive) as files:
        files.extractall(folder / "source", filter="data")
    [source] = (folder / "source").iterdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "built", folder=source)
    [built] = (folder / "built").iterdir()
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    run(base, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    python = folder / "venv/bin/python"
    run(base, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel, folder=folder)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def test_the_wheel_has_all_files_of_the_package(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    kinds = {".py", ".lua", ".typed", ".html", ".css", ".js"}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "wippywasm").rglob("*") if path.suffix in kinds}
    texts = {f"wippywasm/_wit/{path.relative_to(ROOT / 'wit')}" for path in (ROOT / "wit").rglob("*.wit")}
    assert any(name.endswith(".lua") for name in sources)
    assert texts
    assert sources | texts <= packed
    assert not [name for name in packed if not name.startswith("wippywasm")]


def test_it_says_what_it_is(wheel: Path) -> None:
    name = next(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA"))
    metadata = zipfile.ZipFile(wheel).read(name).decode()
    assert "Name: wippywasm\n" in metadata
    assert "Requires-Python: >=3.10\n" in metadata
    assert "\n# wippywasm\n" in metadata


def test_it_is_imported_from_where_it_was_installed(scripts: Path, tmp_path: Path) -> None:
    probe = "import time; start = time.perf_counter(); import wippywasm; took = time.perf_counter() - start"
    probe += "; print(wippywasm.__file__, f'{took * 1000:.1f} ms')"
    where, _, took = run(scripts / "python", "-W", "error", "-c", probe, folder=tmp_path).partition(" ")
    sys.stdout.write(f"import wippywasm: {took}")  # seen with -s; nothing here depends on it
    assert Path(where).is_relative_to(scripts.parent)


def test_its_command_runs(scripts: Path, tmp_path: Path) -> None:
    command = scripts / "wippywasm"
    facts = json.loads(run(command, "engines", "--json", folder=tmp_path))
    assert facts
    people = ROOT / "examples/demo/wasm/people.wasm"
    assert "record user" in run(command, "inspect", people, "--wit", folder=tmp_path)
    assert run(command, "-C", ROOT / "examples/demo", "call", "demo:compute", "6", "7", folder=tmp_path) == "42\n"
    assert "22 checks passed, 0 failed" in run(command, "-C", ROOT / "examples/demo", "run", "demo", folder=tmp_path)


def test_its_python_api_runs(scripts: Path, tmp_path: Path) -> None:
    program = (
        "import wippywasm\n"
        "for name in wippywasm.__all__: getattr(wippywasm, name)\n"
        "from wippywasm import wit\n"
        "assert wit.host_packages()\n"
        f"people = wippywasm.load({str(ROOT / 'examples/demo/wasm/people.wasm')!r})\n"
        "with people.instantiate(wasi=wippywasm.Wasi()) as guest: print(guest.call('compute', 6, 7))\n"
    )
    assert run(scripts / "python", "-W", "error", "-c", program, folder=tmp_path) == "42\n"
