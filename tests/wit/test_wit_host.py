"""The WIT that ships with the package, and the command that reads WIT."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wippywasm.cli.wit import wit_command
from wippywasm.wit import Flattener, func_text, host_interface, host_packages, host_wit_path, parse, parse_text

WASI = ["io", "clocks", "random", "cli", "filesystem", "sockets", "http"]


def test_all_hosts_are_there() -> None:
    found = {f"{p.name.namespace}:{p.name.name}" for p in host_packages().packages}
    assert found == {f"wasi:{name}" for name in WASI} | {"wippy:runtime"}


@pytest.mark.parametrize(
    ("interface", "function", "text"),
    [
        ("wippy:runtime/funcs", "call-string", "func(target: string, input: string) -> result<string, string>"),
        ("wippy:runtime/funcs", "call-bytes", "func(target: string, input: list<u8>) -> result<list<u8>, string>"),
        ("wasi:io/poll@0.2.0", "poll", "func(in: list<borrow<pollable>>) -> list<u32>"),
        ("wasi:clocks/monotonic-clock@0.2.3", "subscribe-duration", "func(when: u64) -> own<pollable>"),
        ("wasi:random/random", "get-random-bytes", "func(len: u64) -> list<u8>"),
        ("wasi:cli/environment", "get-environment", "func() -> list<tuple<string, string>>"),
        ("wasi:filesystem/preopens", "get-directories", "func() -> list<tuple<own<descriptor>, string>>"),
    ],
)
def test_signatures(interface: str, function: str, text: str) -> None:
    found = host_interface(interface)
    assert found is not None
    assert func_text(Flattener().function(found.functions[function])) == text


@pytest.mark.parametrize(
    "name",
    ["wasi:nothing/here", *(f"wasi:io/streams@{v}" for v in ("0.3.0", "1.0.0", "0.2.0-rc.1", "x"))],
)
def test_an_interface_that_no_host_has(name: str) -> None:
    assert host_interface(name) is None


@pytest.mark.parametrize("version", ["", "@0.2.0", "@0.2.3", "@0.2.9", "@0.2.99"])
def test_every_version_of_a_track_is_served(version: str) -> None:
    found = host_interface(f"wasi:io/streams{version}")
    assert found is not None
    assert found.id == "wasi:io/streams@0.2.12"


def test_the_folder_is_a_wit_folder_as_it_is() -> None:
    assert parse(host_wit_path()).main is not None
    assert [p.name for p in parse(host_wit_path(), all_features=True).packages] == [
        p.name for p in host_packages().packages
    ]


def test_everything_in_the_hosts_that_is_not_from_elsewhere_is_documented() -> None:
    for interface in host_packages().interfaces:
        assert interface.docs, interface.id


def test_the_command_prints_what_parses_again(tmp_path: Path) -> None:
    path = tmp_path / "a.wit"
    path.write_text("package a:b; interface i { @unstable(feature = x) f: func(); g: func(); }")
    run = CliRunner().invoke(wit_command, [str(path)])
    assert (run.exit_code, run.output) == (0, "package a:b;\n\ninterface i {\n  g: func();\n}\n")
    run = CliRunner().invoke(wit_command, [str(path), "--features", "y,x"])
    assert "@unstable(feature = x)\n  f: func();" in run.output


def test_the_command_prints_json_and_checks(tmp_path: Path) -> None:
    path = tmp_path / "a.wit"
    path.write_text("package a:b; world w {}")
    run = CliRunner().invoke(wit_command, [str(path), "--json"])
    assert json.loads(run.output)["worlds"][0]["name"] == "w"
    run = CliRunner().invoke(wit_command, [str(path), "--check"])
    assert (run.exit_code, run.output) == (0, "")


@pytest.mark.parametrize("content", ["package a:b; nonsense", "package a:b; interface i { use x.{y}; }"])
def test_the_command_refuses_with_the_place(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.wit"
    path.write_text(content)
    run = CliRunner().invoke(wit_command, [str(path), "--check"])
    assert run.exit_code == 1
    assert "a.wit:1:" in run.stderr


def test_a_world_that_names_a_host_resolves_against_it(tmp_path: Path) -> None:
    text = host_wit_path().joinpath("deps", "wasi-io.wit").read_text(encoding="utf-8")
    body = text[text.index(";") + 1 :]
    found = parse_text("package a:b; world w { import wasi:io/streams@0.2.12; } package wasi:io@0.2.12 {" + body + "}")
    assert len(found.world("w").imports) == 3
