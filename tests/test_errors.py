"""What all messages share."""

from __future__ import annotations

import pytest

from wippywasm import binary
from wippywasm.engine import wat2wasm
from wippywasm.errors import BinaryError, LinkError, ValidationError, WitError, with_article


@pytest.mark.parametrize(
    "words",
    [
        "an i32",
        "an f64",
        "an s8",
        "a u8",
        "a v128",
        "an own<counter>",
        "a borrow<counter>",
        "an fs.directory",
        "an env.variable",
        "a function.wat",
        "a registry.entry",
        "an x",
        "a universe",
        "an unknown",
        "an option<u8>",
    ],
)
def test_articles_follow_the_sound(words: str) -> None:
    assert with_article(words.partition(" ")[2]) == words


def test_a_long_payload_is_cut_in_the_message() -> None:
    error = WitError("e" * 1_000_000)
    assert len(str(error)) < 1_100
    assert str(error).endswith("e… 999,002 more characters")
    assert error.payload == "e" * 1_000_000


def refusal(name: str) -> BinaryError:
    good = "a" * len(name)
    wasm = wat2wasm(f'(component (import "{good}" (func)))')
    with pytest.raises(BinaryError) as raised:
        binary.decode(wasm.replace(good.encode(), name.encode()))
    return raised.value


@pytest.mark.parametrize(
    "name",
    [
        "a-" * 14_000,
        "a:b/" + "c" * 50_000 + "/d",
        "a:b/c@1.0.0+" + "a" * 50_000 + "@a",
        "a b" * 30_000,
        "`" * 30_000,
        "a/b'" * 10_000,
        "/" * 30_000,
    ],
    ids=len,
)
def test_a_long_name_is_cut_in_the_message(name: str) -> None:
    error = refusal(name)
    shown = str(error.of_file("/a/file.wasm"))
    assert len(shown) < 2_200
    assert "characters" in shown
    assert shown.startswith("/a/file.wasm: ")
    assert str(error.of_file("/a/file.wasm").moved(0)) == shown


def test_a_name_that_people_can_read_is_shown_as_it_is() -> None:
    name = "a-" * 100
    assert f"`{name}`" in refusal(name).message
    assert f"`{name[:199]}… (202 characters)`" in refusal(name + "a-").message


def test_a_path_is_shown_as_it_is() -> None:
    path = f"/{'folder/' * 100}file.wasm"
    assert ValidationError("wrong", 0).of_file(path).message == f"{path}: wrong"


def test_an_import_has_its_whole_name_beside_the_message() -> None:
    name = "a:b/" + "c" * 1_000
    error = LinkError(f"nothing is given for import '{name}'", name)
    assert error.message == f"nothing is given for import '{name[:199]}… (1,004 characters)'"
    assert error.import_name == error.details["import"] == name
