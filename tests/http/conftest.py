"""What the HTTP tests share: an app written on the spot, and clients on real sockets of loopback."""

from __future__ import annotations

from tests.app.conftest import LoadApp, load_app

__all__ = ["LoadApp", "load_app"]
