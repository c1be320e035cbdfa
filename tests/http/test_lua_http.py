"""The Lua module `http`: what a program knows of its request and makes of its response. Spec: SPEC section 11."""

from __future__ import annotations

import asyncio

from tests.app.conftest import LoadApp
from tests.http.apps import WEB, endpoint, lua
from tests.http.client import Answer, Client, ask, served


def app_of(source: str, method: str = "POST", path: str = "/x") -> str:
    return WEB + lua("f", source) + endpoint("e", method, path, "f")


def test_a_request_tells_all_that_it_says(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local req, res = http.request(), http.response()
        res:set_status(http.STATUS.CREATED)
        res:set_header("X-Seen", req:header("x-thing"))
        res:write_json({
          method = req:method(), path = req:path(), q = req:query("q"), missing = req:query("nope") == nil,
          all = req:query_params(), id = req:param("id"), params = req:params(), type = req:content_type(),
          length = req:content_length(), host = req:host(), body = req:body(), has = req:has_body(),
          json = req:is_content_type("application/json"), text = req:is_content_type("text/plain"),
          accepts = { req:accepts("text/html"), req:accepts("image/png"), req:accepts("text/plain") },
          remote = req:remote_addr():match("^127.0.0.1:%d+$") ~= nil,
        })
    """
    app = load_app(app_of(source, path="/x/{id}"))
    answer = ask(
        app,
        "POST",
        "/api/x/a%2Fb%20%C3%A9?q=1&q=2&r=%26",
        "hi",
        Content_Type="Application/JSON; charset=utf-8",
        X_Thing="yes",
        Accept="text/html, image/*;q=0, */*;q=0.1",
    )
    assert (answer.status, answer.fields["x-seen"], answer.fields["content-type"]) == (201, "yes", "application/json")
    assert answer.json == {
        "method": "POST",
        "path": "/api/x/a%2Fb%20%C3%A9",
        "q": "1",
        "missing": True,
        "all": {"q": "1,2", "r": "&"},
        "id": "a/b é",
        "params": {"id": "a/b é"},
        "type": "Application/JSON; charset=utf-8",
        "length": 2,
        "host": "test",
        "body": "hi",
        "has": True,
        "json": True,
        "text": False,
        "accepts": [True, False, True],
        "remote": True,
    }


def test_what_takes_a_text_names_itself_where_it_gets_none(load_app: LoadApp) -> None:
    source = """
        local http, said = require("http"), {}
        local req = http.request()
        for i, call in ipairs({ { "header", 1 }, { "is_content_type", {} }, { "accepts", print } }) do
          local _, err = pcall(function() return req[call[1]](req, call[2]) end)
          said[i] = tostring(err)
        end
        http.response():write_json(said)
    """
    said = ask(load_app(app_of(source)), "POST", "/api/x").json
    assert [text[text.index("bad argument") :] for text in said] == [
        "bad argument #1 to 'header' (string expected, got number)",
        "bad argument #1 to 'is_content_type' (string expected, got table)",
        "bad argument #1 to 'accepts' (string expected, got function)",
    ]


def test_a_body_as_json_and_what_is_none(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local data, err = http.request():body_json()
        http.response():write_json({ data = data, err = err and err:kind() })
    """
    app = load_app(app_of(source))

    async def work(client: Client) -> list[Answer]:
        return [await client.ask("POST", "/api/x", body) for body in ('{"a": [1, {}]}', "{", "")]

    good, bad, empty = served(app, work)
    assert good.json == {"data": {"a": [1, {}]}}
    assert bad.json == empty.json == {"err": "INVALID"}


def test_a_program_that_does_not_ask_for_the_response_answers_with_its_result(load_app: LoadApp) -> None:
    results = {
        "text": "'hé'",
        "table": "{a = {1, 2}}",
        "nothing": "nil",
        "bytes": "'\\xff\\0'",
        "err": "nil, {code = 7}",
    }
    app = load_app(
        WEB + "".join(lua(n, f"return {r}") + endpoint(f"e_{n}", "GET", f"/{n}", n) for n, r in results.items())
    )

    async def work(client: Client) -> dict[str, Answer]:
        return {name: await client.ask("GET", f"/api/{name}") for name in results}

    answers = served(app, work)
    assert (answers["text"].text, answers["text"].fields["content-type"]) == ("hé", "text/plain; charset=utf-8")
    assert answers["table"].json == {"a": [1, 2]}
    assert (answers["nothing"].status, answers["nothing"].body) == (204, b"")
    assert (answers["bytes"].body, answers["bytes"].fields["content-type"]) == (b"\xff\0", "application/octet-stream")
    assert (answers["err"].status, answers["err"].json) == (500, {"code": 7})


def test_one_that_asks_for_it_and_writes_nothing_answers_200(load_app: LoadApp) -> None:
    answer = ask(load_app(app_of("require('http').response(); return 'ignored'")), "POST", "/api/x")
    assert (answer.status, answer.body, answer.fields["content-length"]) == (200, b"", "0")


def test_events_are_streamed_as_they_are_written(load_app: LoadApp) -> None:
    source = """
        local http, time = require("http"), require("time")
        local res = http.response()
        res:write_event({ name = "one", data = { k = 1 } })
        http.request():body() -- until the client goes on
        res:write_event({ name = "two", data = "a\\nb", id = "7" })
        local _, err = res:write_event({ name = "a\\nb", data = 1 })
        res:write_event({ data = err:kind() })
    """
    app = load_app(WEB + lua("f", source, "http, time") + endpoint("e", "POST", "/x", "f"))

    async def work(client: Client) -> tuple[dict[str, str], list[bytes]]:
        await client.send("POST /api/x HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n")
        _, fields = await client.head()
        pieces = [await client.chunk()]
        await client.send("go")
        return fields, [*pieces, await client.chunk(), await client.chunk(), await client.chunk()]

    fields, pieces = served(app, work)
    assert (fields["content-type"], fields["cache-control"]) == ("text/event-stream", "no-cache")
    assert pieces == [
        b'event: one\ndata: {"k":1}\n\n',
        b'id: 7\nevent: two\ndata: "a\\nb"\n\n',
        b'event: message\ndata: "INVALID"\n\n',
        b"",
    ]


def test_chunks_that_are_flushed(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local res = http.response()
        res:set_transfer(http.TRANSFER.CHUNKED)
        res:set_content_type(http.CONTENT.TEXT)
        res:write("a"); res:write("b"); res:flush()
        res:write("c")
        local ok, err = res:set_status(404)
        res:write(tostring(ok) .. err:kind())
    """
    app = load_app(app_of(source))

    async def work(client: Client) -> tuple[dict[str, str], list[bytes]]:
        await client.send("POST /api/x HTTP/1.1\r\nHost: t\r\n\r\n")
        _, fields = await client.head()
        return fields, [await client.chunk() for _ in range(4)]

    fields, pieces = served(app, work)
    assert fields["content-type"] == "text/plain"
    assert pieces == [b"ab", b"c", b"nilINVALID", b""]


def test_the_body_as_a_stream_and_in_lines(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local stream = http.request():stream()
        local first = stream:read(3)
        local lines, scanner = {}, stream:scanner("lines")
        while scanner:scan() do lines[#lines + 1] = scanner:text() end
        stream:close()
        local data, err = stream:read()
        return { first = first, lines = lines, after = err:message(), err = scanner:err() }
    """
    answer = ask(load_app(app_of(source)), "POST", "/api/x", "abcd\r\n\nlast" + "x" * 40_000)
    assert answer.json == {
        "first": "abc",
        "lines": ["d", "", "last" + "x" * 40_000],
        "after": "the stream is closed",
    }


def test_scanners_split_into_words_bytes_and_characters(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local scanner, found = http.request():stream():scanner(http.request():query("by")), {}
        while scanner:scan() do found[#found + 1] = scanner:text() end
        return found
    """
    app = load_app(app_of(source))

    async def work(client: Client) -> list[object]:
        return [(await client.ask("POST", f"/api/x?by={by}", " é b\n")).json for by in ("words", "bytes", "runes")]

    words, octets, runes = served(app, work)
    assert words == ["é", "b"]
    assert octets == [" ", [195], [169], " ", "b", "\n"]
    assert runes == [" ", "é", " ", "b", "\n"]


def test_a_form_with_files(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local form, err = http.request():parse_multipart()
        if err then return nil, err end
        local one = form.files.f[1]
        return { title = form.values.title, name = one:name(), size = one:size(), type = one:header("Content-Type"),
          content = one:stream():read(0), second = form.files.f[2]:name() }
    """
    body = (
        b"ignored\r\n--b\r\nContent-Disposition: form-data; name=title\r\n\r\nT\xc3\xa9\r\n"
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a \\"b\\".txt"\r\n'
        b"Content-Type: text/x\r\n\r\n\r\n--c\r\n"
        b'--b \r\ncontent-disposition: form-data; name="f"; filename=""\r\n\r\n\r\n--b--\r\nafter'
    )
    app = load_app(app_of(source))
    answer = ask(app, "POST", "/api/x", body, Content_Type='multipart/form-data; boundary="b"')
    assert answer.json == {
        "title": "Té",
        "name": 'a "b".txt',
        "size": 5,
        "type": "text/x",
        "content": "\r\n--c",
        "second": "",
    }


def test_what_is_set_of_a_response_may_be_chained(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local res = http.response()
        local none, err = res:set_status("200")
        res:set_status(401):set_header("X-Why", "none"):set_content_type("text/x"):write(tostring(none) .. err:kind())
    """
    answer = ask(load_app(app_of(source)), "POST", "/api/x", "")
    assert (answer.status, answer.fields["x-why"], answer.fields["content-type"]) == (401, "none", "text/x")
    assert answer.body == b"nilINVALID"


def test_streams_can_be_sought_where_all_is_there(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local req = http.request()
        local form = req:parse_multipart()
        local file = form.files.f[1]:stream()
        local ends, tail = file:seek("end", -2), file:read(9)
        local back, head = file:seek("set"), file:read(3)
        local here, before = file:seek(), select(2, file:seek("set", -1))
        local written = select(2, file:write("x"))
        return { ends, tail, back, head, here, before:kind(), written:kind(), file:stat().seekable, file:read() }
    """
    body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n01234567\r\n--b--\r\n'
    answer = ask(load_app(app_of(source)), "POST", "/api/x", body, Content_Type="multipart/form-data; boundary=b")
    assert answer.json == [6, "67", 0, "012", 3, "INVALID", "INTERNAL", True, "34567"]


def test_the_stream_of_a_body_goes_forward_only(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local stream = http.request():stream()
        local _, err = stream:seek("set", 0)
        return { err:kind(), stream:stat().seekable, stream:read(2) }
    """
    assert ask(load_app(app_of(source)), "POST", "/api/x", "abc").json == ["INTERNAL", False, "ab"]


def test_outside_of_requests_there_is_none(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local _, one = http.request()
        local _, two = http.response()
        return one:kind() .. ": " .. one:message() .. two:kind()
    """
    app = load_app(lua("f", source))

    async def main() -> object:
        async with app:
            return await app.call("t:f")

    assert (
        asyncio.run(main())
        == "INTERNAL: there is no HTTP request here (an http.endpoint calls the function with one)INTERNAL"
    )
