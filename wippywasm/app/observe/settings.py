"""The sections `prometheus`, `otel` and `logger` of `.wippy.yaml`.

In: checked values. Out: `ObserveSettings`. For spans, the variables of the operating system that OpenTelemetry defines
(`OTEL_SERVICE_NAME`, `OTEL_EXPORTER_OTLP_ENDPOINT`, …) stand for what is not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from wippywasm.app.http.address import bad_address
from wippywasm.app.schema.durations import Number
from wippywasm.app.schema.types import Bool, Choice, Field, Struct, Text
from wippywasm.dataclass import dataclass

SECTIONS: Mapping[str, Field] = {
    "logger": Field(Struct({"encoding": Field(Choice(("console", "json")))}, is_open=True)),
    "prometheus": Field(Struct({"enabled": Field(Bool()), "address": Field(Text(rule=bad_address))})),
    "otel": Field(
        Struct(
            {
                "enabled": Field(Bool()),
                "endpoint": Field(Text(words="host:port or a URL")),
                "protocol": Field(Choice(("http/protobuf",))),
                "service_name": Field(Text()),
                "service_version": Field(Text()),
                "insecure": Field(Bool()),
                "sample_rate": Field(Number(0, 1)),
            },
            is_open=True,
        )
    ),
}


@dataclass(frozen=True)
class OtelSettings:
    """Where spans are sent; `endpoint` is None for what the operating system's variables say."""

    endpoint: str | None = None
    service_name: str | None = None
    service_version: str | None = None
    is_insecure: bool = False
    sample_rate: float = 1.0

    @property
    def url(self) -> str | None:
        """The URL that spans are posted to."""
        if self.endpoint is None:
            return None
        scheme = "http" if self.is_insecure else "https"
        whole = self.endpoint if "://" in self.endpoint else f"{scheme}://{self.endpoint}"
        return f"{whole.rstrip('/')}/v1/traces"


@dataclass(frozen=True)
class ObserveSettings:
    """`metrics` is the address of the endpoint, `otel` says where spans go; None where they are off."""

    log_encoding: str = "console"
    metrics: str | None = None
    otel: OtelSettings | None = field(default=None)


def observe_settings(checked: Mapping[str, Any]) -> ObserveSettings:
    """The settings, from the checked sections."""
    prometheus: Mapping[str, Any] = checked.get("prometheus") or {}
    otel: Mapping[str, Any] = checked.get("otel") or {}
    return ObserveSettings(
        (checked.get("logger") or {}).get("encoding") or "console",
        (prometheus.get("address") or "localhost:9090") if prometheus.get("enabled") else None,
        _otel(otel) if otel.get("enabled") else None,
    )


def _otel(given: Mapping[str, Any]) -> OtelSettings:
    return OtelSettings(
        given.get("endpoint"),
        given.get("service_name"),
        given.get("service_version"),
        bool(given.get("insecure")),
        1.0 if given.get("sample_rate") is None else float(given["sample_rate"]),
    )
