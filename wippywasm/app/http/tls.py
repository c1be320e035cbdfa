"""TLS of a service: its own certificate, and whether clients have to show theirs.

In: the field `tls` of an `http.service`. Out: an SSL context, made when the app is checked and once more when the
service starts. Spec: SPEC section 12.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from wippywasm.app.pem import load_pair, why_not

HANDSHAKE = 10.0
"""Seconds in which a connection has to come about: until then it counts for none of the bounds."""
CLIENTS = {"verify_if_given": ssl.CERT_OPTIONAL, "require_and_verify": ssl.CERT_REQUIRED}
"""What `client_auth` may be."""


class TlsError(ValueError):
    """What is wrong with `field`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def server_context(field: Mapping[str, Any] | None) -> ssl.SSLContext | None:
    """The context for a checked field; None where there is no TLS. Raises TlsError."""
    if not field or not field["mode"]:
        return None
    for name in ("cert", "key"):
        if name not in field:
            raise TlsError(name, "required where mode is manual, and missing")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        load_pair(context, field["cert"].text, field["key"].text)
    except (ssl.SSLError, ValueError) as error:
        raise TlsError("cert", f"the certificate and the key can't be used: {why_not(error)}") from None
    _check_clients(context, field)
    return context


def _check_clients(context: ssl.SSLContext, field: Mapping[str, Any]) -> None:
    if ("client_ca" in field) != ("client_auth" in field):
        missing = "client_auth" if "client_ca" in field else "client_ca"
        raise TlsError(missing, "client_ca and client_auth are given together")
    if "client_ca" not in field:
        return
    try:
        context.load_verify_locations(cadata=field["client_ca"].text)
    except (ssl.SSLError, ValueError) as error:
        raise TlsError("client_ca", f"there is no certificate in it: {why_not(error)}") from None
    context.verify_mode = CLIENTS[field["client_auth"]]
