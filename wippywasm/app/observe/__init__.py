"""What a running app shows of itself: metrics for Prometheus, spans for OpenTelemetry.

In: settings of `.wippy.yaml`, a running app. Out: an endpoint that is scraped, spans that are sent. Both are off unless
they are asked for, and their libraries are loaded then only.
"""

from __future__ import annotations

from wippywasm.app.observe.observers import Observers
from wippywasm.app.observe.settings import ObserveSettings

__all__ = ["ObserveSettings", "Observers"]
