"""Lua's `fs`: folders of entries, read and written, never left. Spec: SPEC section 11."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.errors import LuaError

APP = """\
- {name: data, kind: fs.directory, directory: data, auto_init: true}
- {name: note, kind: registry.entry}
- name: f
  kind: function.lua
  modules: [fs, json]
  method: main
  source: |
    local fs = require("fs")
    return {main = function(...)
      local vol, err = fs.get("t:data")
      if err then return nil, err end
"""


class Lua:
    def __init__(self, load_app: LoadApp, tmp_path: Path) -> None:
        self._load_app = load_app
        self.folder = tmp_path / "data"

    def __call__(self, body: str, *args: Any) -> Any:
        app = self._load_app(APP + "".join(f"      {line}\n" for line in body.splitlines()) + "    end}\n")

        async def main() -> Any:
            async with app:
                return await app.call("t:f", *args)

        return asyncio.run(main())


@pytest.fixture
def lua(load_app: LoadApp, tmp_path: Path) -> Lua:
    return Lua(load_app, tmp_path)


def test_whole_files(lua: Lua) -> None:
    body = """
    assert(vol:writefile("/a.txt", "one\\n"))
    assert(vol:writefile("a.txt", "two\\n", "a"))
    local _, again = vol:writefile("/a.txt", "three", "wx")
    assert(vol:write_file("raw", "\\0\\255"))
    assert(vol:writefile("copy", vol:readfile("a.txt")))
    return {vol:readfile("/copy"), again:kind(), vol:read_file("./raw"), vol:exists("/a.txt"), vol:exists("/b")}
    """
    assert lua(body) == ["one\ntwo\n", "ALREADY_EXISTS", b"\x00\xff", True, False]
    assert (lua.folder / "raw").read_bytes() == b"\0\xff"


def test_folders(lua: Lua) -> None:
    body = """
    assert(vol:mkdir("/d"))
    assert(vol:writefile("/d/x", "12345"))
    assert(vol:mkdir("/d/e"))
    local names = {}
    for entry in vol:readdir("/d") do names[#names + 1] = entry.name .. ":" .. entry.type end
    local stat = vol:stat("/d/x")
    assert(vol:chdir("d"))
    local inside, pwd = vol:readfile("x"), vol:pwd()
    assert(stat.mode & 0x1ff == stat.mode and stat.mode & 0x180 == 0x180, "the owner reads and writes")
    assert(vol:stat("/d").mode >> 31 == 1, "a folder says so in its mode")
    local _, full = vol:remove("/d")
    assert(vol:remove("x") and vol:remove("e") and vol:remove("/d"))
    return {names, {stat.name, stat.size, stat.type, stat.is_dir}, vol:isdir("/"), vol:isdir("/none"), inside, pwd,
      full:kind(), vol:exists("/d")}
    """
    assert lua(body) == [
        ["e:directory", "x:file"],
        ["x", 5, "file", False],
        True,
        False,
        "12345",
        "/d",
        "INVALID",
        False,
    ]


def test_open_files(lua: Lua) -> None:
    body = """
    local file = assert(vol:open("/f", "w+"))
    file:write("hello ")
    file:write("world")
    assert(file:sync())
    local size, at = file:stat().size, file:seek(fs.seek.SET, 6)
    local part, rest, over = file:read(3), file:read(100), file:read()
    local back = file:seek("end", -5)
    local _, bad = file:seek("set", -1)
    local _, odd = file:seek({1}, 0)
    local is_closed = file:close(1)
    assert(select(2, vol:open("/f", {})):kind() == "INVALID")
    assert(select(2, vol:writefile("/f", "x", {})):kind() == "INVALID")
    local _, closed = file:read()
    return {size, at, part, rest, over == nil, back, bad:kind(), odd:message(), is_closed, closed:message()}
    """
    odd = "whence is one of set, cur, end"
    assert lua(body) == [11, 6, "wor", "ld", True, 6, "INVALID", odd, True, "this open file is closed"]


@pytest.mark.parametrize(
    ("split", "text", "expected"),
    [
        ("lines", "a\r\n\nlast", ["a", "", "last"]),
        ("lines", "", []),
        ("lines", "a\n", ["a"]),
        ("words", "  one\ttwo\n three ", ["one", "two", "three"]),
        ("bytes", "ab", ["a", "b"]),
        ("runes", "aé€😀", ["a", "é", "€", "😀"]),
    ],
)
def test_scanners(lua: Lua, split: str, text: str, expected: list[str]) -> None:
    body = """
    local text, split = ...
    vol:writefile("/s", text)
    local scanner, found = vol:open("/s"):scanner(split), {}
    while scanner:scan() do found[#found + 1] = scanner:text() end
    return found
    """
    assert lua(body, text, split) == expected


def test_a_long_file_is_scanned_in_parts(lua: Lua) -> None:
    body = """
    vol:writefile("/long", string.rep(string.rep("x", 99) .. "\\n", 3000))
    local scanner, count = vol:open("/long"):scanner(), 0
    while scanner:scan() do
      assert(#scanner:text() == 99)
      count = count + 1
    end
    vol:writefile("/line", string.rep("y", 3 * 1024 * 1024))
    local endless = vol:open("/line"):scanner()
    return {count, endless:scan(), endless:err():kind()}
    """
    assert lua(body) == [3000, False, "INVALID"]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("vol:readfile('/none')", "NOT_FOUND"),
        ("vol:readfile('')", "INVALID"),
        ("vol:readfile(5)", "INVALID"),
        ("vol:readfile('/')", "INVALID"),
        ("vol:readfile('/../secret')", "PERMISSION_DENIED"),
        ("vol:readfile('/out')", "PERMISSION_DENIED"),
        ("vol:readfile('/a\\0b')", "INVALID"),
        ("vol:writefile('/x', 'y', 'q')", "INVALID"),
        ("vol:writefile('/x', {})", "INVALID"),
        ("vol:open('/none', 'r')", "NOT_FOUND"),
        ("vol:open('/none', 'rw')", "INVALID"),
        ("vol:readdir('/none')", "NOT_FOUND"),
        ("vol:mkdir('/')", "ALREADY_EXISTS"),
        ("vol:remove('/none')", "NOT_FOUND"),
        ("vol:chdir('/none')", "NOT_FOUND"),
        ("fs.get('t:nope')", "NOT_FOUND"),
        ("fs.get('t:note')", "INVALID"),
        ("fs.get()", "INVALID"),
    ],
)
def test_failures(lua: Lua, tmp_path: Path, call: str, kind: str) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "out").symlink_to("../secret")
    assert lua(f"local value, err = {call}; return {{value == nil, err:kind()}}") == [True, kind]


def test_handles_are_closed_with_the_call(lua: Lua) -> None:
    with pytest.raises(LuaError, match="has no 'nope'"):
        lua("vol:nope()")
    body = """
    kept = kept or vol
    return {kept:exists("/")}
    """
    assert lua(body) == [True]


def test_many_bytes(lua: Lua) -> None:
    assert lua("vol:writefile('/big', string.rep('x', 5000000)); return #vol:readfile('/big')") == 5_000_000
    (lua.folder / "huge").touch()
    with (lua.folder / "huge").open("r+b") as huge:
        huge.truncate(40 << 20)
    assert lua("local _, err = vol:readfile('/huge'); return err:kind()") == "INVALID"
