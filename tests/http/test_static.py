"""Folders over HTTP: which file a path means, conditions, ranges, and no way out. Spec: SPEC section 12."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.conftest import LoadApp
from tests.http.apps import SERVICE, endpoint, lua
from tests.http.client import Answer, Client, ask, served
from wippywasm.app import App
from wippywasm.app.http.static.conditions import Facts, wanted_range

FILES = {
    "public__index_dot_html": "<h1>index</h1>",
    "public__a_dot_txt": "0123456789",
    "public__sub__index_dot_html": "sub",
    "public__sub__b c_dot_js": "js",
    "public__deep__x_dot_bin": b"\0" * 600_000 + b"end",
    "secret_dot_txt": "secret",
}


def site(load_app: LoadApp, path: str = "/", more: str = "", options: str = "") -> App:
    static = f"- {{name: s, kind: http.static, path: {path}, fs: files, static_options: {{{options}}}}}\n"
    return load_app(f"{SERVICE}- {{name: files, kind: fs.directory, directory: public}}\n{static}{more}", **FILES)


def get(app: App, *paths: str) -> list[Answer]:
    async def work(client: Client) -> list[Answer]:
        return [await client.ask("GET", path) for path in paths]

    return served(app, work)


def test_files_indexes_and_redirects(load_app: LoadApp) -> None:
    root, text, index, folder, encoded, large, missing = get(
        site(load_app), "/", "/a.txt", "/sub/", "/sub?x=1", "/sub/b%20c.js", "/deep/x.bin", "/nope"
    )
    assert (root.text, root.fields["content-type"]) == ("<h1>index</h1>", "text/html; charset=utf-8")
    assert (text.text, text.fields["content-length"]) == ("0123456789", "10")
    assert text.fields["x-content-type-options"] == "nosniff"
    assert index.text == "sub"
    assert (folder.status, folder.fields["location"]) == (308, "/sub/?x=1")
    assert encoded.fields["content-type"].partition(";")[0] in ("text/javascript", "application/javascript")
    assert large.body == b"\0" * 600_000 + b"end"
    assert missing.problem["status"] == 404


def test_a_folder_may_be_mounted_anywhere_beside_routers(load_app: LoadApp) -> None:
    more = (
        "- {name: api, kind: http.router, prefix: /files/api}\n"
        + lua("f", "return 'api'")
        + endpoint("e", "GET", "/x", "f")
    )
    app = site(load_app, "/files", more)
    answers = get(app, "/files/a.txt", "/files", "/a.txt", "/files/api/x", "/files/api/y", "/filesx/a.txt")
    assert [a.status for a in answers] == [200, 200, 404, 200, 404, 404]


def test_a_single_page_application_has_its_index_for_all_else(load_app: LoadApp) -> None:
    app = site(load_app, options="spa: true, index: index.html, cache: 'public, max-age=60'")
    answers = get(app, "/users/7", "/a.txt", "/sub/")
    assert [a.text for a in answers] == ["<h1>index</h1>", "0123456789", "sub"]
    assert {a.fields["cache-control"] for a in answers} == {"public, max-age=60"}


def test_methods(load_app: LoadApp) -> None:
    app = site(load_app)

    async def work(client: Client) -> list[Answer]:
        return [await client.ask(method, "/a.txt") for method in ("HEAD", "OPTIONS", "POST", "GET")]

    head, options, post, whole = served(app, work)
    assert (head.status, head.fields["content-length"], head.fields["etag"]) == (200, "10", whole.fields["etag"])
    assert (options.status, options.fields["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (post.status, post.fields["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_conditions(load_app: LoadApp) -> None:
    app = site(load_app)

    async def work(client: Client) -> list[Answer]:
        first = await client.ask("GET", "/a.txt")
        tag, time = first.fields["etag"], first.fields["last-modified"]
        asked: list[dict[str, str]] = [
            {"If_None_Match": tag},
            {"If_None_Match": f'"other", W/{tag}'},
            {"If_None_Match": '"other"', "If_Modified_Since": time},
            {"If_Modified_Since": time},
            {"If_Modified_Since": "Mon, 01 Jan 1990 00:00:00 GMT"},
            {"If_Modified_Since": "nonsense"},
            {"If_Match": '"other"'},
            {"If_Match": "*"},
            {"If_Unmodified_Since": "Mon, 01 Jan 1990 00:00:00 GMT"},
        ]
        return [await client.ask("GET", "/a.txt", **fields) for fields in asked]

    answers = served(app, work)
    assert [a.status for a in answers] == [304, 304, 200, 304, 200, 200, 412, 200, 412]
    assert all(a.body == b"" for a in answers if a.status == 304)


@pytest.mark.parametrize(
    ("asked", "status", "range", "body"),
    [
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=-3", 206, "bytes 7-9/10", "789"),
        ("bytes=-30", 206, "bytes 0-9/10", "0123456789"),
        ("bytes=5-100", 206, "bytes 5-9/10", "56789"),
        ("bytes=0-0", 206, "bytes 0-0/10", "0"),
        ("bytes=10-", 416, "bytes */10", None),
        ("bytes=-0", 416, "bytes */10", None),
        ("bytes=4-2", 200, None, "0123456789"),
        ("bytes=0-1,4-5", 200, None, "0123456789"),
        ("bytes=-", 200, None, "0123456789"),
        ("lines=1-2", 200, None, "0123456789"),
    ],
)
def test_ranges(asked: str, status: int, range: str | None, body: str | None, load_app: LoadApp) -> None:
    answer = ask(site(load_app), "GET", "/a.txt", Range=asked)
    assert (answer.status, answer.fields.get("content-range")) == (status, range)
    assert body is None or answer.text == body


def test_a_range_of_what_has_changed_is_the_whole(load_app: LoadApp) -> None:
    app = site(load_app)

    async def work(client: Client) -> list[Answer]:
        tag = (await client.ask("GET", "/a.txt")).fields["etag"]
        return [await client.ask("GET", "/a.txt", Range="bytes=1-1", If_Range=t) for t in (tag, '"other"')]

    same, other = served(app, work)
    assert (same.status, same.text, other.status, other.text) == (206, "1", 200, "0123456789")


@given(st.integers(0, 30), st.one_of(st.none(), st.integers(0, 40)), st.one_of(st.none(), st.integers(0, 40)))
def test_a_range_is_within_the_file(size: int, first: int | None, last: int | None) -> None:
    spec = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    found = wanted_range({"Range": spec}, Facts(size, 0))
    content = list(range(size))
    if first is None and last is not None:
        expected = content[-last:] if last else []
    elif first is not None and (last is None or last >= first):
        expected = content[first : None if last is None else last + 1]
    else:
        assert found is None
        return
    assert found is not None
    assert list(found) == expected


def test_no_path_leads_out(load_app: LoadApp, tmp_path: Path) -> None:
    app = site(load_app)
    public = tmp_path / "public"
    os.symlink("../secret.txt", public / "out")
    os.symlink(tmp_path, public / "up")
    os.symlink("a.txt", public / "in")
    os.mkfifo(public / "pipe")
    tricks = [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "/sub/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/%2fetc%2fpasswd",
        "//etc/passwd",
        "/a.txt%00.html",
        "/out",
        "/up/secret.txt",
        "/up/",
        "/pipe",
        "/a.txt/",
        "/a.txt/x",
        "/" + "a" * 5000,
        "/sub//index.html",
    ]
    answers = get(app, *tricks, "/in")
    assert {path: a.status for path, a in zip(tricks, answers) if a.status not in (400, 404)} == {}
    assert not any(b"secret" in a.body for a in answers)
    assert answers[-1].text == "0123456789"
