"""Endpoints that are wasm functions: the body becomes arguments, the result the response. Spec: SPEC section 12."""

from __future__ import annotations

from tests.app.conftest import LoadApp
from tests.http.apps import WEB, endpoint, wat
from tests.http.client import Answer, Client, ask, served

ADD = wat(
    "add",
    "add: func(a: s32, b: s32) -> s32;",
    "add",
    '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))',
)


def test_a_json_body_becomes_arguments_by_name_or_by_place(load_app: LoadApp) -> None:
    app = load_app(WEB + ADD + endpoint("e", "POST", "/add", "add"))

    async def work(client: Client) -> list[Answer]:
        return [await client.ask("POST", "/api/add", body) for body in ('{"a": 1, "b": 41}', "[2, 3]")]

    by_name, by_place = served(app, work)
    assert (by_name.status, by_name.fields["content-type"], by_name.body) == (200, "application/json", b"42")
    assert by_place.body == b"5"
    assert ask(app, "POST", "/api/add", '{"a": 1, "bb": 41}').problem == {
        "title": "Bad Request",
        "status": 400,
        "kind": "INVALID",
        "detail": "there is no parameter 'bb' (did you mean 'b'?)",
    }
