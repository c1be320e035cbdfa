"""The Lua module `time`: moments, durations, layouts, zones, timers. Spec: SPEC section 11."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app_lua.hosts import FakeHost, program, run
from wippywasm.app.lua import LuaWorker
from wippywasm.errors import InvalidError, LuaError

MODULES = frozenset({"funcs", "json", "time"})


def clocked(text: str, *args: Any, host: FakeHost | None = None) -> Any:
    """Run the body of a function that has `time`."""
    return run(f'local time = require("time") return function(...) {text}\nend', *args, modules=MODULES, host=host)


# durations ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "nanoseconds", "shown"),
    [
        ("'1h30m45s500ms'", 5_445_500_000_000, "1h30m45.5s"),
        ("'1.5s'", 1_500_000_000, "1.5s"),
        ("'.5s'", 500_000_000, "500ms"),
        ("'0.57s'", 570_000_000, "570ms"),
        ("'-2h'", -7_200_000_000_000, "-2h0m0s"),
        ("'+3us'", 3000, "3µs"),
        ("'3µs'", 3000, "3µs"),
        ("'1ns'", 1, "1ns"),
        ("'0'", 0, "0s"),
        ("5 * time.MINUTE", 300_000_000_000, "5m0s"),
        ("1.5 * time.SECOND", 1_500_000_000, "1.5s"),
        ("1.9", 1, "1ns"),
        ("(time.parse_duration('90s'))", 90_000_000_000, "1m30s"),
        ("math.mininteger", -(2**63), "-2562047h47m16.854775808s"),
        ("'2562047h47m16.854775807s'", 2**63 - 1, "2562047h47m16.854775807s"),
    ],
)
def test_durations(text: str, nanoseconds: int, shown: str) -> None:
    lua = f"local d, err = time.parse_duration({text}) return {{d:nanoseconds(), tostring(d), err == nil}}"
    assert clocked(lua) == [nanoseconds, shown, True]


@pytest.mark.parametrize(
    "text",
    [
        "''",
        "'5'",
        "'1x'",
        "'1h-5m'",
        "'1s_'",
        "'--1s'",
        "'.s'",
        "'2562048h'",
        "('1'):rep(1e6)",
        "0/0",
        "1e300",
        "nil",
        "{}",
        "true",
    ],
)
def test_what_is_no_duration_is_invalid(text: str) -> None:
    lua = f"local d, err = time.parse_duration({text}) return {{d == nil, err:kind()}}"
    assert clocked(lua) == [True, "INVALID"]


def test_a_duration_in_every_unit() -> None:
    lua = """local d = time.parse_duration('1h30m45s500ms')
      return {d:hours(), d:minutes(), d:seconds(), d:milliseconds(), d:microseconds(),
              d > time.parse_duration('1h'), d == time.parse_duration('90m45.5s')}"""
    assert clocked(lua) == [5445.5 / 3600, 5445.5 / 60, 5445.5, 5_445_500, 5_445_500_000, True, True]


# moments --------------------------------------------------------------------------------------------------------------

PARTS = """local y, mo, d = t:date() local h, mi, s = t:clock()
  return {y, mo, d, h, mi, s, t:nanosecond(), t:weekday(), t:year_day(), t:unix()}"""
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))


@settings(max_examples=60)
@given(moments, st.integers(-50_000, 50_000))
def test_moments_have_the_parts_that_pythons_have(moment: datetime, offset: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(seconds=offset)), microsecond=0)
    numbers = (*there.timetuple()[:6], offset)
    lua = (
        f"local y, mo, d, h, mi, s, o = ... local t = time.date(y, mo, d, h, mi, s, 7, time.fixed_zone('X', o)) {PARTS}"
    )
    seconds = int((there - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds())
    weekday, year_day = there.isoweekday() % 7, there.timetuple().tm_yday
    assert clocked(lua, *numbers) == [*numbers[:6], 7, weekday, year_day, seconds]


@settings(max_examples=40)
@given(
    st.integers(-2_000_000_000, 4_000_000_000), st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
)
def test_zones_are_those_of_the_database(seconds: int, zone: str) -> None:
    lua = """local s, zone = ... local t = time.unix(s, 0):in_location((time.load_location(zone)))
      local again = time.date(t:year(), t:month(), t:day(), t:hour(), t:minute(), t:second(), 0, t:location())
      return {t:format('2006-01-02 15:04:05 MST'), t:location():string(), math.abs(again:unix() - s)}"""
    there = datetime.fromtimestamp(seconds, ZoneInfo(zone))
    shown, name, apart = clocked(lua, seconds, zone)
    assert (shown, name) == (there.strftime("%Y-%m-%d %H:%M:%S %Z"), zone)
    assert apart in (0, 3600)  # a time that clocks show twice


@pytest.mark.parametrize(
    ("layout", "shown"),
    [
        ("RFC3339", "2024-02-09T15:04:05-07:30"),
        ("RFC3339NANO", "2024-02-09T15:04:05.0123-07:30"),
        ("RFC822", "09 Feb 24 15:04 XST"),
        ("RFC822Z", "09 Feb 24 15:04 -0730"),
        ("RFC850", "Friday, 09-Feb-24 15:04:05 XST"),
        ("RFC1123", "Fri, 09 Feb 2024 15:04:05 XST"),
        ("RFC1123Z", "Fri, 09 Feb 2024 15:04:05 -0730"),
        ("KITCHEN", "3:04PM"),
        ("STAMP", "Feb  9 15:04:05"),
        ("STAMP_MILLI", "Feb  9 15:04:05.012"),
        ("STAMP_MICRO", "Feb  9 15:04:05.012300"),
        ("STAMP_NANO", "Feb  9 15:04:05.012300000"),
        ("DATE_TIME", "2024-02-09 15:04:05"),
        ("DATE_ONLY", "2024-02-09"),
        ("TIME_ONLY", "15:04:05"),
    ],
)
def test_every_layout(layout: str, shown: str) -> None:
    lua = f"""local t = time.date(2024, 2, 9, 15, 4, 5, 12300000, time.fixed_zone('XST', -(7 * 3600 + 1800)))
      local text = t:format(time.{layout})
      local back, err = time.parse(time.{layout}, text, time.utc)
      return {{text, err == nil, back:format(time.{layout}) == text}}"""
    assert clocked(lua) == [shown, True, True]


@pytest.mark.parametrize(
    ("layout", "shown"),
    [
        ("January Jan Monday Mon", "February Feb Friday Fri"),
        ("Janet Month Monet", "Janet Month Monet"),
        ("1/2/06 3:4:5 pm", "2/9/24 3:4:5 pm"),
        ("01 02 _2 002 __2", "02 09  9 040  40"),
        ("_2006", "_2024"),
        ("15h03", "15h03"),
        ("Z0700 Z07 -07 -07:00:00 Z070000", "-0730 -07 -07 -07:30:00 -073000"),
        (".00 .999 ,000", ".01 .012 ,012"),
        (".000x .0001", ".012x .0002"),
        ("", ""),
    ],
)
def test_layouts_are_gos(layout: str, shown: str) -> None:
    zone = "time.fixed_zone('', -(7 * 3600 + 1800))"
    assert clocked(f"return time.date(2024, 2, 9, 15, 4, 5, 12300000, {zone}):format(...)", layout) == shown


@pytest.mark.parametrize(
    ("layout", "text", "rfc3339"),
    [
        ("2006-01-02", "2024-12-29", "2024-12-29T00:00:00Z"),
        ("15:04:05", "14:30:00", "0000-01-01T14:30:00Z"),
        ("2006-01-02 15:04:05 MST", "2024-12-29 14:30:00 UTC", "2024-12-29T14:30:00Z"),
        ("2006-01-02T15:04:05Z07:00", "2024-12-29T15:04:05+02:00", "2024-12-29T15:04:05+02:00"),
        ("2006-01-02T15:04:05Z07:00", "2024-12-29T15:04:05.25Z", "2024-12-29T15:04:05.25Z"),
        ("3:04pm 2 jan 06", "x", None),
        ("3:04PM Jan 2 2006", "12:05AM MAR 5 2024", "2024-03-05T00:05:00Z"),
        ("2006 002", "2024 366", "2024-12-31T00:00:00Z"),
        ("2006 002", "2023 366", None),
        ("2006-01-02", "2023-02-29", None),
        ("2006-01-02", "2023-13-01", None),
        ("15:04", "24:00", None),
        ("2006-01-02", "2023-01-02x", None),
        ("2006-01-02", "2023/01/02", None),
        ("-0700", "+9900", None),
        ("2006", "x" * 3000, None),
    ],
)
def test_parsing(layout: str, text: str, rfc3339: str | None) -> None:
    lua = """local t, err = time.parse(select(1, ...), select(2, ...), time.utc)
      return t and t:format(time.RFC3339NANO) or {err:kind()}"""
    assert clocked(lua, layout, text) == (rfc3339 or ["INVALID"])


def test_arithmetic() -> None:
    lua = """local t = time.date(2024, 1, 31, 12, 0, 0, 0, time.utc)
      local h, q = time.parse_duration('1h'), time.parse_duration('15m')
      local u = time.unix(1703862245, 0):utc()
      return {t:add('24h'):sub(t):hours(), t:add(time.HOUR):after(t), t:before(t), t:equal(t:in_location(time.localtz)),
        t:add_date(0, 1, 0):format(time.DATE_ONLY), t:add_date(1, 0, -7):format(time.DATE_ONLY),
        u:truncate(h):format(time.TIME_ONLY), u:round(q):format(time.TIME_ONLY), u:unix_nano(),
        time.unix(-62135596800, 0):is_zero(), t:is_zero(), t < t:add(1), t == t:add(0), time.DECEMBER, time.SATURDAY}"""
    dates, clocks = ["2024-03-02", "2025-01-24"], ["15:00:00", "15:00:00"]
    assert clocked(lua) == [
        24.0,
        True,
        False,
        True,
        *dates,
        *clocks,
        1703862245 * 10**9,
        True,
        False,
        True,
        True,
        12,
        6,
    ]


@settings(max_examples=40)
@given(st.integers(-10_000_000_000, 10_000_000_000), st.integers(0, 999_999_999), st.integers(1, 2**62))
def test_truncating_counts_from_the_year_one(seconds: int, nanoseconds: int, step: int) -> None:
    lua = """local s, n, d = ... local t = time.unix(s, n):truncate((time.parse_duration(d)))
      return {t:unix(), t:nanosecond()}"""
    total = (seconds + 62135596800) * 10**9 + nanoseconds
    expected = divmod(total - total % step, 10**9)
    assert clocked(lua, seconds, nanoseconds, step) == [expected[0] - 62135596800, expected[1]]


def test_what_there_is_not() -> None:
    lua = """local function kind(a, b) return a == nil and b:kind() end
      local zone = time.load_location
      return {kind(zone('')), kind(zone('No/Where')), kind(zone('../../etc/passwd')), kind(time.timer('0s')),
        kind(time.ticker('-1s')), kind(time.after('x')), zone('UTC') == time.utc}"""
    assert clocked(lua) == ["INVALID", "NOT_FOUND", "NOT_FOUND", "INVALID", "INVALID", "INVALID", True]


@pytest.mark.parametrize(
    ("lua", "message"),
    [
        ("time.now():fmt()", "a Time has no 'fmt'"),
        ("time.now().year()", r"bad argument \(Time expected, got nil\)"),
        ("time.now():round('1h')", r"bad argument \(Duration expected, as time.parse_duration gives"),
        ("time.date('x', 1, 1)", "bad argument 'year'"),
        ("time.now():format(5)", "bad argument 'layout'"),
        ("time.fixed_zone('X', 1.5)", "bad argument 'offset'"),
        ("table.sort({1, 2}, function() time.sleep('1s') end)", "time.sleep can't wait here"),
    ],
)
def test_misuse(lua: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test\.lua:1: {message}|can't wait here"):
        clocked(lua)


def test_a_bad_duration_is_no_short_sleep() -> None:
    with pytest.raises(InvalidError, match="'5' is no duration"):
        clocked("time.sleep('5')")


# waiting --------------------------------------------------------------------------------------------------------------


def test_sleep_takes_its_time_and_no_ones_turn() -> None:
    source = """local time = require('time') return function()
      local start = time.now() time.sleep('30ms') return time.now():sub(start):milliseconds() end"""
    turns = 0

    async def main() -> int:
        nonlocal turns
        call = asyncio.ensure_future(LuaWorker(program(source, modules=MODULES), FakeHost()).call(()))
        while not call.done():
            turns += 1
            await asyncio.sleep(0)
        slept: int = await call
        return slept

    assert asyncio.run(main()) >= 29
    assert turns > 3


def test_coroutines_sleep_beside_each_other() -> None:
    lua = """local out, order = channel.new(), {}
      for i = 3, 1, -1 do coroutine.spawn(function() time.sleep(i * 10 * time.MILLISECOND) out:send(i) end) end
      for i = 1, 3 do order[i] = (out:receive()) end return order"""
    assert clocked(lua) == [1, 2, 3]


def test_after_gives_the_time() -> None:
    before = time.time()
    assert before - 1 <= clocked("return (time.after('5ms'):receive()):unix()") <= time.time()


def test_select_with_a_timeout() -> None:
    lua = (
        "local t = time.after('5ms') return channel.select{channel.new():case_receive(), t:case_receive()}.channel == t"
    )
    assert clocked(lua) is True


def test_a_timer_that_fired_while_the_program_waited_for_something_else() -> None:
    host = FakeHost()
    host.serve("app:slow", lambda: asyncio.sleep(0.02))
    lua = """local t = time.after('1ms') require('funcs').call('app:slow')
      return channel.select{t:case_receive(), default = true}.default == nil"""
    assert clocked(lua, host=host) is True


def test_a_timer_can_be_stopped_and_reset() -> None:
    lua = """local t = time.timer('1h')
      local out = {t:stop(), t:stop(), t:reset('2ms'), t:reset('1ms')}
      t:response():receive()
      out[5] = t:stop()
      t:reset('1ms') time.sleep('10ms') t:reset('1h')
      out[6] = channel.select{t:channel():case_receive(), default = true}.default
      return out"""
    assert clocked(lua) == [True, False, False, True, False, True]


def test_a_ticker_ticks_on_and_drops_what_nobody_takes() -> None:
    lua = """local t = time.ticker('5ms')
      local ch, times = t:response(), {}
      for i = 1, 3 do times[i] = ch:receive() end
      time.sleep('30ms')
      local waiting = 0
      while not channel.select{ch:case_receive(), default = true}.default do waiting = waiting + 1 end
      local in_order = times[2]:after(times[1]) and times[3]:after(times[2])
      return {in_order, waiting <= 2, t:stop(), t:stop(), select(2, ch:receive())}"""
    assert clocked(lua) == [True, True, True, False, False]


def test_the_number_of_timers_is_limited() -> None:
    lua = "for i = 1, 20000 do local t, err = time.timer('1h') if err then return {i, err:kind()} end end"
    assert clocked(lua) == [10001, "RATE_LIMITED"]


def test_hostile_texts_are_refused_soon() -> None:
    lua = """local d, err = time.parse_duration(('1'):rep(1e6))
      local t, err2 = time.parse(('2'):rep(1e6), ('2'):rep(1e6))
      return {err:kind(), err2:kind()}"""
    assert clocked(lua) == ["INVALID", "INVALID"]
