"""Requests: sent, redirects followed, responses read no further than the program wants.

In: a method, a URL, options. Out: a `Response`. Every request has a connection of its own, so that what one caller
may reach no other does by its connection. Spec: SPEC sections 10 and 11.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from wippywasm.app.http_client.connect import Judge
from wippywasm.app.http_client.options import RequestOptions
from wippywasm.app.http_client.tls import tls_context
from wippywasm.app.security import Guard
from wippywasm.dataclass import dataclass
from wippywasm.errors import InternalError, InvalidError, WippyError
from wippywasm.wasi.http.names import is_token

_MAX_FIELD = 64 << 10


@dataclass
class Response:
    """A response whose body is read as far as asked; closing it ends its connection."""

    session: aiohttp.ClientSession
    answer: aiohttp.ClientResponse
    limit: int
    taken: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """What it says before its body, with names of fields in the usual spelling."""
        headers: dict[str, str] = {}
        for name, value in self.answer.headers.items():
            usual = "-".join(part.capitalize() for part in name.split("-"))
            headers[usual] = f"{headers[usual]}, {value}" if usual in headers else value
        cookies = {name: morsel.value for name, morsel in self.answer.cookies.items()}
        return {"status_code": self.answer.status, "headers": headers, "cookies": cookies, "url": str(self.answer.url)}

    async def read(self, most: int) -> bytes:
        """Up to `most` bytes as soon as some are there, none at the end; raises InvalidError above the limit."""
        try:
            data = await self.answer.content.read(most)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise _failure(error) from None
        self.taken += len(data)
        if self.taken > self.limit:
            raise InvalidError(f"the response's body is larger than {self.limit:,} bytes")
        return data

    async def whole(self) -> bytes:
        """All of its body; raises as `read`."""
        pieces = []
        while piece := await self.read(1 << 16):
            pieces.append(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        """End it; harmless to repeat."""
        self.answer.close()
        await self.session.close()


async def send(guard: Guard, method: str, url: str, options: RequestOptions) -> Response:
    """The response to a request.

    Raises PermissionDeniedError for what the program may not reach, InvalidError for a URL or options that are none,
    InternalError (retryable) for failures on the way.
    """
    where = _url(url, options.query)
    if not is_token(method):
        raise InvalidError(f"http_client: {method!r:.100} is no method")
    judge = Judge(guard)
    judge.check_url(where)
    if options.tls.get("insecure_skip_verify"):
        guard.check("http_client.insecure_tls", str(where))
    session = _session(judge, options)
    try:
        answer = await session.request(method, where, **_arguments(options))
    except BaseException as error:
        await session.close()
        if judge.refusal is not None:
            raise judge.refusal from None
        if isinstance(error, aiohttp.ClientError | asyncio.TimeoutError | OSError | ValueError):
            raise _failure(error) from None
        raise
    return Response(session, answer, options.max_response_body)


def _session(judge: Judge, options: RequestOptions) -> aiohttp.ClientSession:
    async def redirected(
        _: aiohttp.ClientSession, __: SimpleNamespace, seen: aiohttp.TraceRequestRedirectParams
    ) -> None:
        to = seen.response.headers.get("Location") or seen.response.headers.get("URI") or ""
        try:
            judge.check_url(seen.response.url.join(URL(to)))
        except WippyError as error:
            judge.refusal = error
            raise

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(redirected)
    between = aiohttp.ClientTimeout(total=None, sock_connect=options.timeout, sock_read=options.timeout)
    return aiohttp.ClientSession(
        connector=judge.connector(options.unix_socket),
        cookies=options.cookies,
        timeout=between if options.stream else aiohttp.ClientTimeout(total=options.timeout),
        max_line_size=_MAX_FIELD,
        max_field_size=_MAX_FIELD,
        trace_configs=[trace],
    )


def _arguments(options: RequestOptions) -> dict[str, Any]:
    return {
        "headers": {**options.headers, **_authorization(options)},
        "data": _data(options),
        "ssl": tls_context(options.tls) if options.tls else True,
        "server_hostname": options.tls.get("server_name"),
    }


def _authorization(options: RequestOptions) -> dict[str, str]:
    if options.auth is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(':'.join(options.auth).encode()).decode()}"}


def _data(options: RequestOptions) -> Any:
    if options.form is None and not options.files:
        return options.body
    form = aiohttp.FormData(quote_fields=False)  # names as they are, which is what servers of forms expect
    try:
        for name, value in (options.form or {}).items():
            form.add_field(name, value)
        for file in options.files:
            form.add_field(file.name, file.content, filename=file.filename, content_type=file.content_type)
    except ValueError:
        raise InvalidError("http_client: the names and types of files have no control characters") from None
    return form


def _url(text: str, query: Mapping[str, str]) -> URL:
    try:
        url = URL(text)
    except (ValueError, TypeError) as error:
        raise InvalidError(f"http_client: {text!r:.200} is no URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidError(f"http_client: {text!r:.200} is no URL of http or https")
    return url.update_query(query) if query else url


def _failure(error: BaseException) -> WippyError:
    if isinstance(error, aiohttp.InvalidURL | ValueError) and not isinstance(error, OSError):
        return InvalidError(f"http_client: {error}")
    reason = "no answer in time" if isinstance(error, asyncio.TimeoutError) else str(error) or type(error).__name__
    failure = InternalError(f"the request failed: {reason:.500}")
    failure.retryable = True
    return failure
