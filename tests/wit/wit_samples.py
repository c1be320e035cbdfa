"""WIT that several tests use, and a form of a resolution in which numbering does not count."""

from __future__ import annotations

from typing import Any

from wippywasm import model
from wippywasm.wit import Function, Interface, InterfaceItem, Resolution, Stability, TypeDef, World, type_text

EVERYTHING = """\
/// A package with everything in it.
package test:all@1.2.0;

/// Types of all kinds.
@since(version = 1.0.0)
interface kinds {
  /// A point.
  record point {
    /// To the right.
    x: s32,
    y: s32,
  }
  variant shape { dot, circle(f64), poly(list<point>) }
  enum color { red, green, %enum }
  flags access { read, write }
  type id = u64;
  type ids = list<id>;
  type pair = tuple<id, string>;
  type maybe = option<option<bool>>;
  type r1 = result;
  type r2 = result<u8>;
  type r3 = result<_, string>;
  type r4 = result<char, error-context>;
  type digest = list<u8, 32>;
  type headers = map<string, list<u8>>;
  type s = stream<u8>;
  type s0 = stream;
  type fu = future<point>;
  type fu0 = future;

  /// A file.
  @external-id("db/file \\u{2603}")
  resource file {
    constructor(path: string);
    /// Reads.
    read: func(n: u32) -> list<u8>;
    write: async func(data: list<u8>) -> result<_, string>;
    open: static func(path: string) -> result<file>;
    @unstable(feature = active)
    sync: func();
  }
  resource gate {
    constructor() -> result<gate, string>;
  }
  type t-file = borrow<file>;
  type a-file = file;

  copy: func(%from: borrow<file>, to: file) -> option<a-file>;
  @deprecated(version = 1.1.0)
  @since(version = 1.0.0)
  later: async func(shapes: list<shape>) -> future<shape>;
}

interface other {
  use kinds.{point, file as document};
  use test:dep/types@0.1.0.{thing};
  move: func(p: point, d: borrow<document>) -> thing;
}

world base {
  import log: func(message: string);
  import sink: interface {
    use kinds.{point};
    put: func(p: point);
  }
  resource session { close: func(); }
  type alias = session;
  import check: func(s: borrow<alias>);
}

world app {
  include base with { log as write-log, session as my-session }
  use kinds.{color};
  import named: kinds;
  import other;
  record local { c: color }
  import paint: func(l: local) -> color;
  export kinds;
  export run: async func() -> result;
  export inside: interface {
    ping: func();
  }
}

package test:dep@0.1.0 {
  interface types {
    resource thing;
  }
}
"""


def canonical(resolution: Resolution) -> dict[str, Any]:
    """The packages with names for references and no order where none counts."""
    return {str(p.name): _package(p) for p in resolution.packages}


def _package(package: Any) -> dict[str, Any]:
    return {
        "docs": package.docs,
        "interfaces": {name: _interface(i) for name, i in sorted(package.interfaces.items())},
        "worlds": {name: _world(w) for name, w in sorted(package.worlds.items())},
    }


def _interface(i: Interface) -> dict[str, Any]:
    return {
        "docs": i.docs,
        "stability": i.stability,
        "types": {name: _type_def(t) for name, t in sorted(i.types.items())},
        "functions": {name: _function(f) for name, f in sorted(i.functions.items())},
    }


def _world(w: World) -> dict[str, Any]:
    def items(found: dict[Any, Any]) -> dict[str, Any]:
        return {k if isinstance(k, str) else str(k.id): _item(i) for k, i in found.items()}

    return {"docs": w.docs, "stability": w.stability, "imports": items(w.imports), "exports": items(w.exports)}


def _item(item: Any) -> Any:
    if isinstance(item, TypeDef):
        return _type_def(item)
    if isinstance(item, Function):
        return _function(item)
    assert isinstance(item, InterfaceItem)
    inner: Any = item.interface.id or _interface(item.interface)
    return ("interface", inner, item.docs, item.stability, item.external_id)


def _function(f: Function) -> Any:
    params = [(p.name, type_text(p.type)) for p in f.params]
    result = None if f.result is None else type_text(f.result)
    owner = f.resource.name if f.resource else None
    return (f.name, f.kind, owner, f.is_async, params, result, f.docs, f.stability, f.external_id)


def _type_def(t: TypeDef) -> Any:
    kind = t.kind
    text: Any = "resource"
    if isinstance(kind, TypeDef):
        text = ("alias", kind.name, getattr(kind.owner, "id", None))
    elif isinstance(kind, model.ValType):
        text = type_text(kind)
    docs = tuple(t.member_docs) if any(d is not None for d in t.member_docs) else ()
    gate: Stability | None = t.stability
    return (t.name, text, t.docs, docs, gate, t.external_id)
