"""What an endpoint's `func` may be: a Lua function, a wasm function, a component that serves HTTP itself.

In: an id and the app. Out: a handler. Spec: SPEC section 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wippywasm.app.http.callee import Callee
from wippywasm.app.http.endpoints.incoming import IncomingEndpoint
from wippywasm.app.http.endpoints.payload import PayloadEndpoint
from wippywasm.app.http.endpoints.program import ProgramEndpoint
from wippywasm.app.http.exchange import Handler

if TYPE_CHECKING:
    from wippywasm.app.programs.wasm import WasmProgram


def endpoint_handler(app: Callee, func: str, program: WasmProgram | None) -> Handler:
    """The handler that calls `func`; `program` is what it runs, None where that is Lua."""
    if program is None:
        return ProgramEndpoint(app, func)
    return IncomingEndpoint(app, func) if program.serves_http else PayloadEndpoint(app, func, program.type)
