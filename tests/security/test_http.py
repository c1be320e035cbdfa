"""Who may call what over HTTP: the identity of the service is the caller's, with and without strict mode."""

from __future__ import annotations

import pytest

from tests.http.client import Answer, Client, served
from tests.security.apps import POLICIES, STRICT, TARGETS
from tests.security.conftest import LoadApp

ENDPOINTS = "".join(
    f"- {{name: e_{name}, kind: http.endpoint, method: POST, path: /{name}, func: {name}}}\n"
    for name in ("open", "closed", "other", "senior")
)
SERVICES = {
    "nobody": "- {name: web, kind: http.service, addr: '127.0.0.1:0'}\n",
    "user": "- {name: web, kind: http.service, addr: '127.0.0.1:0', "
    "lifecycle: {auto_start: true, security: {actor: {id: web}, groups: [users]}}}\n",
    "senior": "- {name: web, kind: http.service, addr: '127.0.0.1:0', "
    "lifecycle: {auto_start: true, security: {actor: {id: web, meta: {years: 11}}, groups: [users]}}}\n",
    "admin": "- {name: web, kind: http.service, addr: '127.0.0.1:0', "
    "lifecycle: {auto_start: true, security: {actor: {id: web}, groups: [admins]}}}\n",
}
ALLOWED = {
    "user": {"open"},
    "senior": {"open", "senior"},
    "admin": {"open", "other", "senior"},
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("who", SERVICES)
def test_who_may_call_what(load_app: LoadApp, capfd: pytest.CaptureFixture[str], who: str, strict: bool) -> None:
    entries = POLICIES + TARGETS + "- {name: api, kind: http.router, prefix: /}\n" + SERVICES[who] + ENDPOINTS
    app = load_app(entries, _dot_wippy_dot_yaml=STRICT if strict else "{}")
    names = ("open", "closed", "other", "senior")
    allowed = ALLOWED.get(who, set() if strict else set(names))

    async def work(client: Client) -> list[Answer]:
        return [await client.ask("POST", f"/{name}") for name in names]

    answers = served(app, work)
    ran = capfd.readouterr().out
    for name, answer in zip(names, answers):
        assert (answer.status < 300) is (name in allowed), (name, answer)
        assert answer.status in (200, 204, 403)
        assert (f"ran {name}" in ran) is (name in allowed)
