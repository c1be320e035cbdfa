"""Which route a request takes, against an oracle that tries all of them. Spec: SPEC section 12."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wippywasm.app.http.paths import Param, PathError, Pattern, Rest, Segment, Target, parse_pattern, parse_target
from wippywasm.app.http.routes import Routes

METHODS = ("GET", "HEAD", "POST")
LITERALS = ("a", "b", "a/b", "é", "{")
SEGMENT = st.one_of(st.sampled_from(LITERALS), st.sampled_from([Param("x"), Param("y"), Param("z")]))


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    segments: list[Segment] = draw(st.lists(SEGMENT, max_size=4))
    return Pattern("", (*segments, *([Rest("rest")] if draw(st.booleans()) else [])))


ROUTES = st.lists(st.tuples(st.sampled_from(METHODS), patterns()), max_size=12)
PATHS = st.lists(st.sampled_from([*LITERALS, "", "c"]), max_size=5)


def matches(segments: Sequence[Segment], path: Sequence[str]) -> bool:
    """The meaning of a pattern, as plainly as it can be said."""
    if not segments:
        return not path
    first, rest = segments[0], segments[1:]
    if isinstance(first, Rest):
        return True
    return bool(path) and (first == path[0] if isinstance(first, str) else path[0] != "") and matches(rest, path[1:])


def rank(segments: Sequence[Segment]) -> list[int]:
    """Greater is more specific: a literal, a parameter, the pattern's end, a rest."""
    return [3 if isinstance(s, str) else 2 if isinstance(s, Param) else 0 for s in segments] + [1]


@given(ROUTES, st.sampled_from((*METHODS, "PUT")), PATHS, st.booleans())
def test_the_most_specific_route_that_has_the_method(
    routes: list[tuple[str, Pattern]], method: str, path: list[str], slash: bool
) -> None:
    table: Routes[int] = Routes()
    kept: list[tuple[int, str, Pattern]] = []
    for number, (of, pattern) in enumerate(routes):
        first = next((n for n, m, p in kept if m == of and p.shape == pattern.shape), None)
        assert table.add(of, pattern, number) == first
        if first is None:
            kept.append((number, of, pattern))
    target = Target("", tuple(path), slash)
    fitting = [(n, m, p) for n, m, p in kept if matches(p.segments, path)]
    able = [r for r in fitting if r[1] == method or (method == "HEAD" and r[1] == "GET")]
    best = max(able, key=lambda r: (rank(r[2].segments), r[1] == method), default=None)
    found = table.match(method, target)
    assert (found and found.found) == (best and best[0])
    allowed = {m for _, m, _ in fitting}
    assert set(table.allowed(target)) == allowed | ({"OPTIONS"} if allowed else set()) | (
        {"HEAD"} if "GET" in allowed else set()
    )
    assert sorted(table) == [n for n, _, _ in kept]


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1), max_size=5), st.booleans())
def test_what_is_encoded_segment_by_segment_comes_back(segments: list[str], slash: bool) -> None:
    raw = "/" + "/".join(quote(s, safe="") for s in segments)
    raw += "/" if slash and segments else ""
    if {".", ".."} & set(segments):
        with pytest.raises(PathError):
            parse_target(raw)
    else:
        assert parse_target(raw + "?a=/../b").segments == tuple(segments)


@given(st.text(max_size=40))
def test_any_target_is_a_path_or_refused(raw: str) -> None:
    try:
        target = parse_target(raw)
    except PathError:
        return
    assert not {".", ".."} & set(target.segments)
    assert not any("\0" in segment for segment in target.segments)


@pytest.mark.parametrize(
    "raw",
    ["/a/../b", "/%2e%2E/b", "/a/.", "/%", "/%zz", "/%ff", "/%00", "*", "http://x", "a", "", "//x/%2e", "1://x/y"],
)
def test_targets_that_are_refused(raw: str) -> None:
    if raw == "http://x":
        assert parse_target(raw).segments == ()
        return
    with pytest.raises(PathError):
        parse_target(raw)


def test_a_parameter_has_its_segment_and_a_rest_all_that_is_left() -> None:
    table: Routes[str] = Routes()
    for text in ("/users/{id}", "/users/{id}/files/{path...}", "/users/me"):
        table.add("GET", parse_pattern(text), text)
    for path, text, params in (
        ("/users/7", "/users/{id}", {"id": "7"}),
        ("/users/7/", "/users/{id}", {"id": "7"}),
        ("/users/a%2Fb", "/users/{id}", {"id": "a/b"}),
        ("/users/me", "/users/me", {}),
        ("/users/7/files", "/users/{id}/files/{path...}", {"id": "7", "path": ""}),
        ("/users/7/files/x//y/", "/users/{id}/files/{path...}", {"id": "7", "path": "x//y/"}),
    ):
        found = table.match("GET", parse_target(path))
        assert found is not None
        assert (found.found, found.params) == (text, params)
    assert table.match("GET", parse_target("/users/")) is None
    assert table.match("GET", parse_target("/users//files")) is None
