"""Comments in front of an item to its documentation, and back.

In: comments as written. Out: text without comment marks and common indentation, or None where there are none; and for
a text the comments that say it again. Every comment counts, `//` as well as `///`, as other WIT tools have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wippywasm.wit.lexer import COMMENT_EDGE, FORBIDDEN


def documentation(comments: Iterable[str]) -> str | None:
    """The text of `comments`, one paragraph of lines; None without comments."""
    texts = [_contents(comment) for comment in comments]
    if not texts:
        return None
    indent = " " * min((len(t) - len(t.lstrip(" \t\n\x0c\r")) for t in texts if t), default=0)
    lines: list[str] = []
    for text in texts:
        body = text.removeprefix(indent)
        lines += [line.removesuffix("\r") for line in body.split("\n")]
    return "\n".join(lines).rstrip("\n")


def _contents(comment: str) -> str:
    if comment.startswith("/**") and len(comment) > 4:
        return comment[3:].removesuffix("*/").rstrip()
    return comment.lstrip("/").rstrip()


def comments_for(docs: str) -> list[str]:
    """Comments, each a line or a block, whose documentation is `docs`, as plain ones as there are.

    Characters that no WIT text may have become U+FFFD.
    """
    docs = FORBIDDEN.sub("\ufffd", docs)
    lines = docs.split("\n")
    for found in (
        [_line(line) for line in lines],
        [f"/**{docs}*/"],
        [f"/{docs}"],
        list(_mixed(lines, "/** ")),
        list(_mixed(lines, "/**")),
    ):
        if documentation(found) == docs and all(_is_comment(c) for c in found):
            return found
    return [_line(line) for line in lines]


def _line(line: str) -> str:
    return f"/// {line}" if line else "///"


def _mixed(lines: list[str], opening: str) -> Iterator[str]:
    """Line comments, and blocks for what ends with space: only a block keeps that, up to its last line."""
    block: list[str] = []
    for line in lines:
        block.append(line)
        text = "\n".join(block)
        if len(block) == 1 and line.rstrip() == line:
            yield f"//{opening[2:].replace('*', '/')}{line}".rstrip()
            block = []
        elif len(block) > 1 and line.rstrip() == line and line:
            yield next((c for c in (f"{opening}{text}*/", f"/{text}") if _is_comment(c)), f"{opening}{text}*/")
            block = []
    yield from map(_line, block)


def _is_comment(text: str) -> bool:
    """Whether `text` is one comment, to its end."""
    if not text.startswith("/*"):
        return text.startswith("//") and "\n" not in text
    depth = 0
    for edge in COMMENT_EDGE.finditer(text):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end() == len(text)
    return False
