"""What a module has of a variant that its interface uses from another: the type and its cases, as the same classes."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from wippywasm.wit import World, parse_text

Make = Callable[[World], ModuleType]
Submodule = Callable[[ModuleType, str], ModuleType]

SHAPES = """
package my:shapes;
interface a {
  variant shape { circle(u8), nothing }
  type form = shape;
}
interface b {
  use a.{shape, form as figure};
  record shape-circle { radius: u8 }
  draw: func(s: shape, f: figure, c: shape-circle);
}
interface c { use b.{figure as outline}; trace: func(o: outline); }
world w { use c.{outline}; import b; export c; export d: func(o: outline); }
"""


def test_the_cases_of_a_used_variant_are_there_too(make: Make, submodule: Submodule) -> None:
    package = make(parse_text(SHAPES).world())
    a, b, c, exported = [submodule(package, m) for m in ("imports.a", "imports.b", "imports.c", "exports.c")]
    assert b.ShapeNothing is b.FigureNothing is a.ShapeNothing
    assert b.FigureCircle is a.ShapeCircle
    assert b.ShapeCircle is not a.ShapeCircle, "the record of its own has the name"
    assert c.OutlineCircle is exported.OutlineCircle is package.OutlineCircle is a.ShapeCircle
    for module in (a, b, c, exported, package):
        assert all(hasattr(module, name) for name in module.__all__)
