"""Guests in WebAssembly text that use sockets and HTTP; their core imports are typed by the shipped WIT.

In: programs. Out: modules, and the worlds to load them with.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.wasi import wasi_guests
from tests.wasi.wasi_guests import ALLOCATOR
from wippywasm.instance.offered import offered_types
from wippywasm.layout import flatten_functype


def world(items: str) -> str:
    """WIT text of a world with those imports and exports, and all packages that they are of."""
    return wasi_guests.world(items) + "\n" + wasi_guests.nested("http")


def module(imports: Iterable[str], code: str, data: str = "") -> str:
    """A module. An import is `interface function name`, with `drop` in front of a resource for its destructor."""
    lines = "\n".join(_import(*text.split()) for text in imports)
    return f"(module {lines} {ALLOCATOR} {data} {code})"


def _import(interface: str, function: str, name: str) -> str:
    if function.startswith("drop-"):
        return f'(import "{interface}@0.2.12" "[resource-drop]{function[5:]}" (func {name} (param i32)))'
    core = flatten_functype(offered_types()[interface].functions[function], "lower")
    params, results = " ".join(core.params), " ".join(core.results)
    return f'(import "{interface}@0.2.12" "{function}" (func {name} (param {params}) (result {results})))'


STREAMS = (
    "wasi:io/streams [method]output-stream.blocking-write-and-flush $write",
    "wasi:io/streams [method]input-stream.blocking-read $read",
    "wasi:io/streams drop-input-stream $drop-in",
    "wasi:io/streams drop-output-stream $drop-out",
    "wasi:io/poll [method]pollable.block $block",
    "wasi:io/poll drop-pollable $drop-pollable",
)

# Traps unless the result at 16 is ok.
OK = "(func $ok (if (i32.load8_u (i32.const 16)) (then unreachable)))"
# Waits for a pollable, and drops it.
WAIT = "(func $wait (param $p i32) (call $block (local.get $p)) (call $drop-pollable (local.get $p)))"

TCP = module(
    (
        *STREAMS,
        "wasi:sockets/instance-network instance-network $network",
        "wasi:sockets/instance-network drop-network $drop-network",
        "wasi:sockets/tcp-create-socket create-tcp-socket $create",
        "wasi:sockets/tcp [method]tcp-socket.start-connect $start-connect",
        "wasi:sockets/tcp [method]tcp-socket.finish-connect $finish-connect",
        "wasi:sockets/tcp [method]tcp-socket.subscribe $subscribe",
        "wasi:sockets/tcp drop-tcp-socket $drop-socket",
    ),
    f"""{OK} {WAIT}
    (func $connect (param $port i32) (result i32) (local $net i32) (local $sock i32)
      (call $create (i32.const 0) (i32.const 16)) (call $ok)
      (local.set $sock (i32.load (i32.const 20)))
      (local.set $net (call $network))
      (call $start-connect (local.get $sock) (local.get $net) (i32.const 0) (local.get $port)
        (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))
      (call $drop-network (local.get $net))
      (local.get $sock))
    (func (export "try-connect") (param $port i32) (result i32)
      (call $drop-socket (call $connect (local.get $port)))
      (if (result i32) (i32.load8_u (i32.const 16)) (then (i32.load8_u (i32.const 17))) (else (i32.const -1))))
    (func (export "echo") (param $port i32) (param $ptr i32) (param $len i32) (result i32)
      (local $sock i32) (local $in i32) (local $out i32)
      (local.set $sock (call $connect (local.get $port))) (call $ok)
      (call $wait (call $subscribe (local.get $sock)))
      (call $finish-connect (local.get $sock) (i32.const 16)) (call $ok)
      (local.set $in (i32.load (i32.const 20))) (local.set $out (i32.load (i32.const 24)))
      (call $write (local.get $out) (local.get $ptr) (local.get $len) (i32.const 16)) (call $ok)
      (call $read (local.get $in) (i64.const 4096) (i32.const 16)) (call $ok)
      (call $drop-in (local.get $in)) (call $drop-out (local.get $out)) (call $drop-socket (local.get $sock))
      (i32.const 20))
    (func (export "wrong-order") (param $port i32) (local $sock i32)
      (local.set $sock (call $connect (local.get $port))) (call $ok)
      (call $wait (call $subscribe (local.get $sock)))
      (call $finish-connect (local.get $sock) (i32.const 16)) (call $ok)
      (call $drop-socket (local.get $sock)))""",
)
TCP_WORLD = """import wasi:io/streams@{v}; import wasi:io/poll@{v}; import wasi:sockets/instance-network@{v};
  import wasi:sockets/network@{v}; import wasi:sockets/tcp-create-socket@{v}; import wasi:sockets/tcp@{v};
  export try-connect: func(port: u16) -> s32; export wrong-order: func(port: u16);
  export echo: func(port: u16, data: list<u8>) -> list<u8>;"""

UDP = module(
    (
        "wasi:io/poll [method]pollable.block $block",
        "wasi:io/poll drop-pollable $drop-pollable",
        "wasi:sockets/instance-network instance-network $network",
        "wasi:sockets/instance-network drop-network $drop-network",
        "wasi:sockets/udp-create-socket create-udp-socket $create",
        "wasi:sockets/udp [method]udp-socket.start-bind $start-bind",
        "wasi:sockets/udp [method]udp-socket.finish-bind $finish-bind",
        "wasi:sockets/udp [method]udp-socket.stream $stream",
        "wasi:sockets/udp [method]outgoing-datagram-stream.check-send $check-send",
        "wasi:sockets/udp [method]outgoing-datagram-stream.send $send",
        "wasi:sockets/udp [method]incoming-datagram-stream.subscribe $subscribe",
        "wasi:sockets/udp [method]incoming-datagram-stream.receive $receive",
        "wasi:sockets/udp drop-incoming-datagram-stream $drop-in",
        "wasi:sockets/udp drop-outgoing-datagram-stream $drop-out",
        "wasi:sockets/udp drop-udp-socket $drop-socket",
    ),
    f"""{OK} {WAIT}
    (func $bound (result i32) (local $net i32) (local $sock i32)
      (call $create (i32.const 0) (i32.const 16)) (call $ok)
      (local.set $sock (i32.load (i32.const 20)))
      (local.set $net (call $network))
      (call $start-bind (local.get $sock) (local.get $net) (i32.const 0) (i32.const 0)
        (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16)) (call $ok)
      (call $finish-bind (local.get $sock) (i32.const 16)) (call $ok)
      (call $drop-network (local.get $net))
      (local.get $sock))
    (func (export "echo") (param $port i32) (param $ptr i32) (param $len i32) (result i32)
      (local $sock i32) (local $in i32) (local $out i32)
      (local.set $sock (call $bound))
      (call $stream (local.get $sock) (i32.const 1) (i32.const 0) (local.get $port)
        (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16)) (call $ok)
      (local.set $in (i32.load (i32.const 20))) (local.set $out (i32.load (i32.const 24)))
      (call $check-send (local.get $out) (i32.const 16)) (call $ok)
      ;; one datagram at 64: the data, and no address
      (i32.store (i32.const 64) (local.get $ptr)) (i32.store (i32.const 68) (local.get $len))
      (i32.store (i32.const 72) (i32.const 0))
      (call $send (local.get $out) (i32.const 64) (i32.const 1) (i32.const 16)) (call $ok)
      (call $wait (call $subscribe (local.get $in)))
      (call $receive (local.get $in) (i64.const 1) (i32.const 16)) (call $ok)
      (if (i32.ne (i32.load (i32.const 24)) (i32.const 1)) (then unreachable))
      (call $drop-in (local.get $in)) (call $drop-out (local.get $out)) (call $drop-socket (local.get $sock))
      (i32.load (i32.const 20)))""",
)
"""Sends a datagram to a port of this machine, and gives what comes back."""
UDP_WORLD = """import wasi:io/poll@{v}; import wasi:sockets/instance-network@{v};
  import wasi:sockets/network@{v}; import wasi:sockets/udp-create-socket@{v}; import wasi:sockets/udp@{v};
  export echo: func(port: u16, data: list<u8>) -> list<u8>;"""

_HTTP = "wasi:http/types"
GET = module(
    (
        *STREAMS,
        f"{_HTTP} [constructor]fields $fields",
        f"{_HTTP} [constructor]outgoing-request $request",
        f"{_HTTP} [method]outgoing-request.set-authority $set-authority",
        f"{_HTTP} [method]outgoing-request.set-scheme $set-scheme",
        "wasi:http/outgoing-handler handle $handle",
        f"{_HTTP} [method]future-incoming-response.subscribe $subscribe",
        f"{_HTTP} [method]future-incoming-response.get $get",
        f"{_HTTP} drop-future-incoming-response $drop-future",
        f"{_HTTP} [method]incoming-response.consume $consume",
        f"{_HTTP} drop-incoming-response $drop-response",
        f"{_HTTP} [method]incoming-body.stream $stream",
        f"{_HTTP} drop-incoming-body $drop-body",
    ),
    f"""{OK} {WAIT}
    ;; the body of http://<authority>/, at most 4096 bytes of it, or the number of an error code as text
    (func (export "get") (param $ptr i32) (param $len i32) (result i32)
      (local $request i32) (local $future i32) (local $response i32) (local $body i32) (local $in i32)
      (local.set $request (call $request (call $fields)))
      (drop (call $set-authority (local.get $request) (i32.const 1) (local.get $ptr) (local.get $len)))
      (drop (call $set-scheme (local.get $request) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
      (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 16)) (call $ok)
      (local.set $future (i32.load (i32.const 24)))
      (call $wait (call $subscribe (local.get $future)))
      ;; option at 16, result at 24, result at 32, response or error code at 40
      (call $get (local.get $future) (i32.const 16))
      (call $drop-future (local.get $future))
      (if (i32.load8_u (i32.const 32)) (then
        (i32.store8 (i32.const 48) (i32.add (i32.const 65) (i32.load8_u (i32.const 40))))
        (i32.store (i32.const 20) (i32.const 48)) (i32.store (i32.const 24) (i32.const 1))
        (return (i32.const 20))))
      (local.set $response (i32.load (i32.const 40)))
      (call $consume (local.get $response) (i32.const 16)) (call $ok)
      (local.set $body (i32.load (i32.const 20)))
      (call $stream (local.get $body) (i32.const 16)) (call $ok)
      (local.set $in (i32.load (i32.const 20)))
      (call $read (local.get $in) (i64.const 4096) (i32.const 16)) (call $ok)
      (call $drop-in (local.get $in)) (call $drop-body (local.get $body)) (call $drop-response (local.get $response))
      (i32.const 20))""",
)
GET_WORLD = """import wasi:io/streams@{v}; import wasi:io/poll@{v}; import wasi:http/types@{v};
  import wasi:http/outgoing-handler@{v}; export get: func(authority: list<u8>) -> list<u8>;"""

SERVER_IMPORTS = (
    *STREAMS,
    f"{_HTTP} [constructor]fields $fields",
    f"{_HTTP} [constructor]outgoing-response $response",
    f"{_HTTP} [method]outgoing-response.set-status-code $set-status",
    f"{_HTTP} [method]outgoing-response.body $body",
    f"{_HTTP} [method]outgoing-body.write $body-write",
    f"{_HTTP} [static]outgoing-body.finish $body-finish",
    f"{_HTTP} [static]response-outparam.set $set",
    f"{_HTTP} [method]incoming-request.consume $consume",
    f"{_HTTP} [method]incoming-body.stream $stream",
    f"{_HTTP} drop-incoming-body $drop-body",
    f"{_HTTP} drop-incoming-request $drop-request",
    f"{_HTTP} drop-response-outparam $drop-param",
)
# Gives a response with that status; leaves its body's handle and its stream.
_RESPOND = """
    (global $out-body (mut i32) (i32.const 0)) (global $out (mut i32) (i32.const 0))
    (func $respond (param $param i32) (param $status i32) (local $r i32)
      (local.set $r (call $response (call $fields)))
      (drop (call $set-status (local.get $r) (local.get $status)))
      (call $body (local.get $r) (i32.const 16)) (call $ok)
      (global.set $out-body (i32.load (i32.const 20)))
      (call $set (local.get $param) (i32.const 0) (local.get $r)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (call $body-write (global.get $out-body) (i32.const 16)) (call $ok)
      (global.set $out (i32.load (i32.const 20))))
    (func $finish
      (call $drop-out (global.get $out))
      (call $body-finish (global.get $out-body) (i32.const 0) (i32.const 0) (i32.const 16)))"""
_HANDLE = '(func (export "wasi:http/incoming-handler@0.2.12#handle") (param $request i32) (param $param i32)'


def server(code: str) -> str:
    """A guest that serves: `code` is what its handler does, with `$request` and `$param`."""
    return module(SERVER_IMPORTS, f"{OK} {_RESPOND} {_HANDLE} {code})", '(data (i32.const 1024) "hello")')


# Answers 201 and then the request's body, piece by piece, until its stream ends.
ECHO = server(
    """(local $b i32) (local $in i32)
      (call $respond (local.get $param) (i32.const 201))
      (call $consume (local.get $request) (i32.const 16)) (call $ok)
      (local.set $b (i32.load (i32.const 20)))
      (call $stream (local.get $b) (i32.const 16)) (call $ok)
      (local.set $in (i32.load (i32.const 20)))
      (block $end (loop $more (global.set $top (i32.const 65536))
        (call $read (local.get $in) (i64.const 4096) (i32.const 16))
        (br_if $end (i32.load8_u (i32.const 16)))
        (call $write (global.get $out) (i32.load (i32.const 20)) (i32.load (i32.const 24)) (i32.const 32))
        (br_if $end (i32.load8_u (i32.const 32)))
        (br $more)))
      (call $drop-in (local.get $in)) (call $drop-body (local.get $b)) (call $drop-request (local.get $request))
      (call $finish)"""
)
# Fails with the error code HTTP-request-denied.
REFUSE = server(
    """(call $set (local.get $param) (i32.const 1) (i32.const 15)
      (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"""
)
# Return without an answer, with the parameter dropped, and kept.
SILENT = server("(call $drop-param (local.get $param))")
KEEPER = server("")
# Trap before and after the response was given.
EARLY_TRAP = server("unreachable")
LATE_TRAP = server(
    """(call $respond (local.get $param) (i32.const 200))
      (call $write (global.get $out) (i32.const 1024) (i32.const 5) (i32.const 16)) unreachable"""
)
# Return with a body that was not finished.
UNFINISHED = server(
    """(call $respond (local.get $param) (i32.const 200))
      (call $write (global.get $out) (i32.const 1024) (i32.const 5) (i32.const 16))"""
)
# Finish a body whose stream is still there.
WRONG_ORDER = server(
    """(call $respond (local.get $param) (i32.const 200))
      (call $body-finish (global.get $out-body) (i32.const 0) (i32.const 0) (i32.const 16))"""
)
# Never ends its body.
ENDLESS = server(
    """(call $respond (local.get $param) (i32.const 200))
      (loop $more (call $write (global.get $out) (i32.const 1024) (i32.const 4096) (i32.const 16)) (br $more))"""
)
SERVER_WORLD = """import wasi:io/streams@{v}; import wasi:io/poll@{v}; import wasi:http/types@{v};
  export wasi:http/incoming-handler@{v};"""
