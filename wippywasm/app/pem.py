"""Certificates and keys as PEM text, for OpenSSL, which reads them from files alone."""

from __future__ import annotations

import os
import ssl
import tempfile


def load_pair(context: ssl.SSLContext, cert: str, key: str) -> None:
    """Give a context a certificate, with those that lead to it, and its key; raises ssl.SSLError or ValueError."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pem")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{cert}\n{key}\n")
        context.load_cert_chain(path, password=_no_password)


def why_not(error: Exception) -> str:
    """What OpenSSL has against a text, in words."""
    return (getattr(error, "reason", None) or str(error)).lower().replace("_", " ")


def _no_password() -> str:
    """Nobody is asked for one at a terminal."""
    raise ValueError("the key is encrypted, and nobody is there to give its password")
