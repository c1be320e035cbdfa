"""TLS of requests: the peer's certificate is checked, unless a policy lets the program leave that out.

In: the option `tls`. Out: an SSL context, and the name that the certificate must be for.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from wippywasm.app.pem import load_pair, why_not
from wippywasm.errors import InvalidError


def tls_context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """The context of a request; raises InvalidError for certificates that are none."""
    try:
        context = ssl.create_default_context(cadata=options.get("ca"))
        if "cert" in options:
            load_pair(context, options["cert"], options["key"])
    except (ssl.SSLError, ValueError) as error:
        raise InvalidError(f"http_client: tls has a certificate or key that is none: {why_not(error)}") from None
    if options.get("insecure_skip_verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
