"""Apps for tests of security, on one engine after the other."""

from __future__ import annotations

from tests.app.conftest import LoadApp, load_app

__all__ = ["LoadApp", "load_app"]
