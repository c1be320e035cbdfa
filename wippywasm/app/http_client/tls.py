"""TLS of requests: the peer's certificate is checked, unless a policy lets the program leave that out.

In: the option `tls`. Out: an SSL context, and the name that the certificate must be for.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Mapping
from typing import Any

from wippywasm.errors import InvalidError


def tls_context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """The context of a request; raises InvalidError for certificates that are none."""
    try:
        context = ssl.create_default_context(cadata=options.get("ca"))
        if "cert" in options:
            _load(context, options["cert"], options["key"])
    except (ssl.SSLError, ValueError) as error:
        raise InvalidError(f"http_client: tls has a certificate or key that is none: {_reason(error)}") from None
    if options.get("insecure_skip_verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load(context: ssl.SSLContext, cert: str, key: str) -> None:
    """OpenSSL reads them from files alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pem")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{cert}\n{key}\n")
        context.load_cert_chain(path)


def _reason(error: Exception) -> str:
    return (getattr(error, "reason", None) or str(error)).lower().replace("_", " ")
