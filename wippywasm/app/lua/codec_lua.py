"""The Lua half of a codec: checks and writes arguments, reads results.

In: a structural function type. Out: Lua text that `prelude/typed.lua` loads. Each compound type is one function, made
once however often the type is used; `N F T B` are the integers, floats, texts and byte strings of a message to the
host, `N F R` integers, floats and the run of strings of one from it, small letters how far each is.
Spec: SPEC section 5 (the Lua column).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wippywasm.app.lua.type_names import INT_RANGES, is_bytes, is_nested_option, type_text
from wippywasm.model import (
    EnumType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)

_HEAD = """local H = ...
local type, next, mtype, ulen, getmetatable, sub, move = H.type, H.next, H.mtype, H.ulen, H.getmetatable, H.sub, H.move
local fail, path = H.fail, H.path
local N, n, F, f, T, t, B, b, R, r
local E, D, K, codec = {}, {}, {}, {}
"""
_INLINE_FIELDS = 50


def quote(text: str) -> str:
    """A Lua string literal of any text."""
    return '"' + "".join(c if (c.isalnum() and c.isascii()) or c in " _-<>{},." else _escape(c) for c in text) + '"'


def _escape(char: str) -> str:
    return "".join(f"\\{byte:03d}" for byte in char.encode())


class LuaCodecSource:
    """Collects the functions of one codec."""

    def __init__(self) -> None:
        self._parts: list[str] = [_HEAD]
        self._encoders: dict[ValType, int] = {}
        self._decoders: dict[ValType, int] = {}
        self._constants = 0

    def text(self, ft: FuncType) -> str:
        """The whole codec."""
        ok, err = (ft.result.ok, ft.result.err) if isinstance(ft.result, ResultType) else (ft.result, None)
        parts = [self._encode_all(ft), self._decode_one("decode", ok), self._decode_one("decode_err", err)]
        return "".join([*self._parts, *parts, "return codec\n"])

    def _encode_all(self, ft: FuncType) -> str:
        lines = [f"if count > {len(ft.params)} then H.arity({len(ft.params)}, count) end", "local args, x = {...}"]
        lines += ["N, n, F, f, T, t, B, b = {}, 0, {}, 0, {}, 0, {}, 0"]
        for index, param in enumerate(ft.params, 1):
            lines += [f"path[0] = {quote(param.name)}", f"x = args[{index}]", *self.encode(param.type, "0", "nil")]
        return _function("codec.encode", "count, ...", [*lines, "return H.pack(N, n, F, f, T, t, B, b)"])

    def _decode_one(self, name: str, t: ValType | None) -> str:
        lines = ["N, n, F, f, R, r = H.take_ints(ints), 0, H.take_floats(floats), 0, bytes, 0"]
        if t is not None:
            lines += ["local x", *self.decode(t, "x"), "return x"]
        return _function(f"codec.{name}", "ints, floats, bytes", lines)

    def _constant(self, value: str) -> str:
        self._constants += 1
        self._parts.append(f"K[{self._constants}] = {value}\n")
        return f"K[{self._constants}]"

    # encoding: the value is in `x`; `depth` and `key` are where it is, for a refusal

    def encode(self, t: ValType, depth: str, key: str) -> list[str]:
        """Statements that check `x` and write it."""
        match t:
            case Prim():
                return _encode_prim(t, depth, key)
            case OptionType() if not is_nested_option(t):
                return [
                    "if x == nil then n = n + 1 N[n] = 0 else n = n + 1 N[n] = 1",
                    *self.encode(t.type, depth, key),
                    "end",
                ]
            case EnumType(names=names):
                refused = f"fail({depth}, {key}, {quote(type_text(t))}, x)"
                find = f"local case = {self._constant(_numbered(names))}[x]"
                return _block([find, f"if not case then {refused} end", "n = n + 1 N[n] = case"])
        if key == "nil":
            return [f"E[{self._encoder(t)}](x, {depth})"]
        return [f"path[{depth} + 1] = {key}", f"E[{self._encoder(t)}](x, {depth} + 1)"]

    def _encoder(self, t: ValType) -> int:
        number = self._encoders.get(t)
        if number is None:
            number = self._encoders[t] = len(self._encoders) + 1
            self._parts.append(_function(f"E[{number}]", "v, d", self._encoder_body(t)))
        return number

    def _encoder_body(self, t: ValType) -> list[str]:
        match t:
            case RecordType():
                return self._encode_record(t)
            case TupleType():
                return self._encode_tuple(t)
            case MapType(key=key, value=value):
                return self._encode_map(t, key, value)
            case ListType():
                return self._encode_bytes(t) if is_bytes(t) else self._encode_list(t)
            case FlagsType(names=names):
                on = f"local on = H.flags(v, d, {self._constant(_numbered(names))}, {quote(type_text(t))})"
                return [on, "n = n + 1 N[n] = #on", "move(on, 1, #on, n + 1, N) n = n + #on"]
            case VariantType(cases=cases):
                return self._encode_cases(t, [(case.name, case.type) for case in cases])
            case ResultType(ok=ok, err=err):
                return self._encode_cases(t, [("ok", ok), ("err", err)])
            case OptionType():
                some = f"local x = H.some(v, d, {quote(type_text(t))})"
                return [
                    "if v == nil then n = n + 1 N[n] = 0 return end",
                    some,
                    "n = n + 1 N[n] = 1",
                    *self.encode(t.type, "d", quote("some")),
                ]
        raise AssertionError(t)

    def _encode_tuple(self, t: TupleType) -> list[str]:
        lines = [f"v = H.tuple(v, d, {len(t.items)}, {quote(type_text(t))})", "local x"]
        for index, item in enumerate(t.items, 1):
            lines += [f"x = v[{index}]", *self.encode(item, "d", str(index))]
        return lines

    def _encode_cases(self, t: ValType, cases: list[tuple[str, ValType | None]]) -> list[str]:
        rows = (
            f"[{quote(key)}] = {{name = {quote(name)}, index = {index}, payload = {_lua_bool(payload is not None)}}}"
            for index, (name, payload) in enumerate(cases)
            for key in _spellings(name)
        )
        table = self._constant("{" + ", ".join(rows) + "}")
        lines = [f"local case, x = H.variant(v, d, {table}, {quote(type_text(t))})", "n = n + 1 N[n] = case"]
        for index, (name, payload) in enumerate(cases):
            if payload is not None:
                lines += [f"if case == {index} then", *self.encode(payload, "d", quote(name)), "end"]
        return lines

    def _encode_record(self, t: RecordType) -> list[str]:
        expected = quote(type_text(t))
        known = self._constant(_keys(alias for field in t.fields for alias in _spellings(field.name)))
        lines = [*_plain_table(expected), f"local known = {known}"]
        lines += [f"for key in next, v do if not known[key] then H.unknown(d, key, {expected}) end end", "local x"]
        for field in t.fields:
            lines += [*_get_field(field.name, expected), *self.encode(field.type, "d", quote(field.name))]
        return lines

    def _encode_map(self, t: MapType, key: ValType, value: ValType) -> list[str]:
        head = [
            *_plain_table(quote(type_text(t))),
            "local at = n + 1 n = at",
            "local count = 0",
            "for key, item in next, v do",
        ]
        return [
            *head,
            "local shown = mtype(key) and key or type(key) == 'string' and ulen(key) and key or 0",
            *_block(["local x = key", *self.encode(key, "d", "shown")]),
            *_block(["local x = item", *self.encode(value, "d", "shown")]),
            "count = count + 1 end",
            "N[at] = count",
        ]

    def _encode_bytes(self, t: ListType) -> list[str]:
        expected = quote(type_text(t))
        lines = ["local given = v", f"if type(v) ~= 'string' then v = H.bytes(v, d, {expected}) end"]
        if t.length is not None:
            lines += [f"if #v ~= {t.length} then fail(d, nil, {expected}, given) end"]
        return [*lines, "b = b + 1 B[b] = v"]

    def _encode_list(self, t: ListType) -> list[str]:
        expected = quote(type_text(t))
        holes = _lua_bool(isinstance(t.element, OptionType))
        lines = [*_plain_table(expected), "local count = #v", "local last = nil if count > 0 then last = count end"]
        lines += [f"if next(v, last) ~= nil then count = H.list_length(v, d, {holes}, {expected}) end"]
        if t.length is None:
            lines += ["n = n + 1 N[n] = count"]
        elif isinstance(t.element, OptionType):
            lines += [f"if count > {t.length} then fail(d, nil, {expected}, v) end", f"count = {t.length}"]
        else:
            lines += [f"if count ~= {t.length} then fail(d, nil, {expected}, v) end"]
        return [*lines, "for i = 1, count do local x = v[i]", *self.encode(t.element, "d", "i"), "end"]

    # decoding: the value is put into the variable `into`

    def decode(self, t: ValType, into: str) -> list[str]:
        """Statements that read a value."""
        match t:
            case Prim(name="bool"):
                return [f"n = n + 1 {into} = N[n] == 1"]
            case Prim(name="f32" | "f64"):
                return [f"f = f + 1 {into} = F[f]"]
            case Prim(name="string" | "char"):
                return _take_string(into)
            case Prim():
                return [f"n = n + 1 {into} = N[n]"]
            case ListType() if is_bytes(t):
                return _take_string(into)
            case EnumType(names=names):
                return [f"n = n + 1 {into} = {self._constant(_list(names))}[N[n]]"]
            case OptionType(type=inner) if not is_nested_option(t):
                return ["n = n + 1 if N[n] == 1 then", *self.decode(inner, into), f"else {into} = nil end"]
        return [f"{into} = D[{self._decoder(t)}]()"]

    def _decoder(self, t: ValType) -> int:
        number = self._decoders.get(t)
        if number is None:
            number = self._decoders[t] = len(self._decoders) + 1
            self._parts.append(_function(f"D[{number}]", "", self._decoder_body(t)))
        return number

    def _decoder_body(self, t: ValType) -> list[str]:
        match t:
            case RecordType(fields=fields):
                return self._decode_fields([(f"[{quote(f.name)}]", f.type) for f in fields])
            case TupleType(items=items):
                return self._decode_fields([(f"[{i}]", item) for i, item in enumerate(items, 1)])
            case ListType():
                return self._decode_list(t)
            case MapType(key=key, value=value):
                lines = ["n = n + 1 local v, k, x = {}", "for _ = 1, N[n] do", *self.decode(key, "k")]
                return [*lines, *self.decode(value, "x"), "v[k] = x end", "return v"]
            case FlagsType(names=names):
                names_of = self._constant(_list(names))
                return [
                    "n = n + 1 local v = {}",
                    f"for _ = 1, N[n] do n = n + 1 v[{names_of}[N[n]]] = true end",
                    "return v",
                ]
            case VariantType(cases=cases):
                return self._decode_cases([(c.name, c.type) for c in cases], _variant_table)
            case ResultType(ok=ok, err=err):
                return self._decode_cases([("ok", ok), ("err", err)], _result_table)
            case OptionType(type=inner):
                return [
                    "n = n + 1 if N[n] == 0 then return nil end",
                    "local x",
                    *self.decode(inner, "x"),
                    "return {some = x}",
                ]
        raise AssertionError(t)

    def _decode_fields(self, fields: list[tuple[str, ValType]]) -> list[str]:
        if len(fields) > _INLINE_FIELDS:
            lines = ["local v, x = {}"]
            for key, t in fields:
                lines += [*_block(self.decode(t, "x")), f"v{key} = x"]
            return [*lines, "return v"]
        names = [f"x{i}" for i in range(len(fields))]
        lines = [f"local {', '.join(names)}"] if names else []
        for name, (_, t) in zip(names, fields):
            lines += self.decode(t, name)
        return [*lines, "return {" + ", ".join(f"{key} = {name}" for name, (key, _) in zip(names, fields)) + "}"]

    def _decode_list(self, t: ListType) -> list[str]:
        size = ["n = n + 1 local count = N[n]"] if t.length is None else [f"local count = {t.length}"]
        if isinstance(t.element, Prim) and t.element.name in INT_RANGES:
            return [*size, "n = n + count", "return move(N, n - count + 1, n, 1, {})"]
        loop = ["local v, x = {}", "for i = 1, count do", *self.decode(t.element, "x"), "v[i] = x end"]
        holes = ["v.n = count"] if isinstance(t.element, OptionType) else []
        return [*size, *loop, *holes, "return v"]

    def _decode_cases(self, cases: list[tuple[str, ValType | None]], table: Callable[[str, bool], str]) -> list[str]:
        lines = ["n = n + 1 local case, x = N[n]"]
        for index, (name, t) in enumerate(cases):
            body = [] if t is None else self.decode(t, "x")
            lines += [f"if case == {index} then", *body, f"return {table(name, t is not None)} end"]
        return lines


def _encode_prim(t: Prim, depth: str, key: str) -> list[str]:
    refused = f"fail({depth}, {key}, {quote(t.name)}, x)"
    if t.name == "bool":
        return [f"if x ~= true and x ~= false then {refused} end", "n = n + 1 N[n] = x and 1 or 0"]
    if t.name in ("f32", "f64"):
        return [f"if not mtype(x) then {refused} end", "f = f + 1 F[f] = x"]
    if t.name == "char":
        return [
            f"if type(x) ~= 'string' or ulen(x) ~= 1 then H.bad_text({depth}, {key}, 'char', x) end",
            "t = t + 1 T[t] = x",
        ]
    if t.name == "string":
        return [
            f"if type(x) ~= 'string' or not ulen(x) then H.bad_text({depth}, {key}, 'string', x) end",
            "t = t + 1 T[t] = x",
        ]
    low, high = (_lua_int(bound) for bound in INT_RANGES[t.name])
    wide = "" if t.name in ("s64", "u64") else f" or x < {low} or x > {high}"
    check = f"if mtype(x) ~= 'integer'{wide} then x = H.int(x, {low}, {high}, {depth}, {key}, {quote(t.name)}) end"
    return [check, "n = n + 1 N[n] = x"]


def _get_field(name: str, expected: str) -> list[str]:
    kebab, *snake = (quote(spelling) for spelling in _spellings(name))
    if not snake:
        return [f"x = v[{kebab}]"]
    both = f"if v[{kebab}] ~= nil then H.both(d, {kebab}, {snake[0]}, {expected}) end"
    return [f"x = v[{snake[0]}]", f"if x == nil then x = v[{kebab}] else {both} end"]


def _lua_int(value: int) -> str:
    return "(-0x7fffffffffffffff - 1)" if value == -(1 << 63) else str(value)


def _lua_bool(value: bool) -> str:
    return "true" if value else "false"


def _take_string(into: str) -> list[str]:
    return [f"n = n + 1 r = r + N[n] {into} = sub(R, r - N[n] + 1, r)"]


def _plain_table(expected: str) -> list[str]:
    return [f"if type(v) ~= 'table' then fail(d, nil, {expected}, v) end", "if getmetatable(v) then v = H.plain(v) end"]


def _spellings(name: str) -> list[str]:
    return [name, name.replace("-", "_")] if "-" in name else [name]


def _keys(names: Iterable[str]) -> str:
    return "{" + ", ".join(f"[{quote(name)}] = true" for name in names) + "}"


def _numbered(names: Iterable[str]) -> str:
    """A table from each name, however it is spelled, to its number."""
    return "{" + ", ".join(f"[{quote(key)}] = {i}" for i, name in enumerate(names) for key in _spellings(name)) + "}"


def _list(names: Iterable[str]) -> str:
    return "{" + ", ".join(f"[{i}] = {quote(name)}" for i, name in enumerate(names)) + "}"


def _variant_table(name: str, has_payload: bool) -> str:
    return f"{{tag = {quote(name)}, value = x}}" if has_payload else f"{{tag = {quote(name)}}}"


def _result_table(name: str, has_payload: bool) -> str:
    if not has_payload:
        return f"{{{name} = true}}"
    return f"x == nil and {{tag = {quote(name)}}} or {{{name} = x}}"


def _block(lines: list[str]) -> list[str]:
    return ["do", *lines, "end"]


def _function(name: str, params: str, lines: list[str]) -> str:
    body = "\n".join(f"  {line}" for line in lines)
    return f"{name} = function({params})\n{body}\nend\n"
