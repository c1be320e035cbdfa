"""Which framing a response's head announces.

In: a head, and the method it answers. Out: a `Decoder`.

Spec: RFC 9112 section 6.3.
"""

from __future__ import annotations

from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.http.fields import content_length
from wippywasm.wasi.http.framing import Chunked, Decoder, Empty, UntilEnd, WithLength
from wippywasm.wasi.http.head import ResponseHead
from wippywasm.wasi.http.limits import HttpLimits


def decoder_for(head: ResponseHead, method: str, limits: HttpLimits) -> Decoder:
    """The decoder of the body that follows a head. Raises HttpError where the head contradicts itself."""
    codings = b",".join(v for n, v in head.fields if n.lower() == "transfer-encoding").strip().lower()
    try:
        length = content_length(head.fields)
    except ValueError:
        raise HttpError("HTTP-protocol-error") from None
    if method == "HEAD" or head.status in (204, 304):
        return Empty()
    if codings:
        if length is not None or head.minor == 0:
            raise HttpError("HTTP-protocol-error")
        if codings != b"chunked":
            raise HttpError("HTTP-response-transfer-coding", codings.decode("latin-1"))
        return Chunked(limits)
    return UntilEnd(limits) if length is None else WithLength(length, limits)
