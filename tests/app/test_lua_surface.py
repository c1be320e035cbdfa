"""All that Wippy's pages name of the Lua modules we have is there: functions, constants, methods.

Spec: SPEC section 11.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from tests.http.apps import WEB, endpoint
from tests.http.client import ask


def _names(text: str) -> dict[str, str]:
    """Lines `value: names`, of which what is indented goes on with the one before."""
    found: dict[str, str] = {}
    for line in text.strip().replace("\n    ", " ").splitlines():
        value, _, names = line.rpartition(": ")
        found[value] = names
    return found


GLOBALS = _names(
    """
_G: type tonumber tostring assert error pcall xpcall pairs ipairs next getmetatable setmetatable rawget rawset
    rawequal select unpack print _G _VERSION
table: insert remove concat sort unpack
string: find match gmatch gsub upper lower sub len byte char rep reverse format
math: pi huge mininteger maxinteger abs min max floor ceil modf fmod sqrt pow exp log log10 sin cos tan asin
    acos atan atan2 sinh cosh tanh deg rad random randomseed tointeger type ult
coroutine: create resume yield status running wrap spawn
errors: UNKNOWN INVALID NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED TIMEOUT CANCELED UNAVAILABLE INTERNAL
    CONFLICT RATE_LIMITED new wrap is call_stack
os: time date clock difftime platform
channel: new select
process: id pid send spawn spawn_monitored spawn_linked spawn_linked_monitored terminate cancel monitor
    unmonitor link unlink get_options set_options inbox events listen unlisten exec upgrade with_context
    with_options event.CANCEL event.EXIT event.LINK_DOWN event.OUTDATED registry.register registry.lookup
    registry.unregister registry.LOCAL registry.EVENTUAL registry.CONSISTENT registry.STRONG
"""
)
MODULES = _names(
    """
funcs: call async new
time: now date unix parse parse_duration load_location fixed_zone utc localtz sleep after timer ticker
    NANOSECOND MICROSECOND MILLISECOND SECOND MINUTE HOUR RFC3339 RFC3339NANO RFC822 RFC822Z RFC850 RFC1123
    RFC1123Z DATE_TIME DATE_ONLY TIME_ONLY KITCHEN STAMP STAMP_MILLI STAMP_MICRO STAMP_NANO JANUARY FEBRUARY
    MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER SUNDAY MONDAY TUESDAY WEDNESDAY
    THURSDAY FRIDAY SATURDAY
ctx: get all
security: actor scope can new_actor new_scope policy named_scope token_store
env: get set get_all
fs: get type.FILE type.DIR seek.SET seek.CUR seek.END
json: encode decode validate validate_string
http: request response METHOD.GET METHOD.POST METHOD.PUT METHOD.DELETE METHOD.PATCH METHOD.HEAD METHOD.OPTIONS
    CONTENT.JSON CONTENT.FORM CONTENT.MULTIPART CONTENT.TEXT CONTENT.STREAM TRANSFER.CHUNKED TRANSFER.SSE
    ERROR.PARSE_FAILED ERROR.INVALID_STATE ERROR.WRITE_FAILED ERROR.STREAM_ERROR STATUS.OK STATUS.CREATED
    STATUS.ACCEPTED STATUS.NO_CONTENT STATUS.PARTIAL_CONTENT STATUS.MOVED_PERMANENTLY STATUS.FOUND
    STATUS.SEE_OTHER STATUS.NOT_MODIFIED STATUS.TEMPORARY_REDIRECT STATUS.PERMANENT_REDIRECT STATUS.BAD_REQUEST
    STATUS.UNAUTHORIZED STATUS.PAYMENT_REQUIRED STATUS.FORBIDDEN STATUS.NOT_FOUND STATUS.METHOD_NOT_ALLOWED
    STATUS.NOT_ACCEPTABLE STATUS.CONFLICT STATUS.GONE STATUS.UNPROCESSABLE STATUS.TOO_MANY_REQUESTS
    STATUS.INTERNAL_ERROR STATUS.INTERNAL_SERVER_ERROR STATUS.NOT_IMPLEMENTED STATUS.BAD_GATEWAY
    STATUS.SERVICE_UNAVAILABLE STATUS.GATEWAY_TIMEOUT STATUS.VERSION_NOT_SUPPORTED
http_client: get post put patch delete head request request_batch encode_uri decode_uri
logger: debug info warn error with named
registry: get find parse_id snapshot snapshot_at current_version versions history apply_version build_delta
uuid: v1 v4 v7 v3 v5 validate version variant parse format
base64: encode decode
"""
)
OBJECTS = _names(
    """
errors.new("x"): kind message retryable details stack
channel.new(): send receive close case_send case_receive
funcs.new(): with_context with_actor with_scope with_options call async
funcs.async("t:note"): response channel is_complete is_canceled result error cancel
time.now(): add sub add_date before after equal format format_rfc3339 unix unix_nano date clock year month day
    hour minute second nanosecond weekday year_day is_zero utc in_local in_location location round truncate
time.parse_duration("1h"): hours minutes seconds milliseconds microseconds nanoseconds
time.utc: string
time.timer("1h"): response channel stop reset
time.ticker("1h"): response channel stop
security.new_actor("x"): id meta
security.new_scope(): with without evaluate contains policies
security.policy("t:all"): id evaluate
security.token_store("t:tokens"): create validate revoke close
fs.get("t:data"): readfile read_file writefile write_file exists stat isdir mkdir remove readdir open chdir pwd
fs.get("t:data"):open("x", "w"): read write seek stat sync close scanner flush
fs.get("t:data"):open("x", "r"):scanner("lines"): scan text err
registry.snapshot(): entries get find namespace version changes
registry.current_version(): id string previous next
registry.history(): versions get_version snapshot_at
registry.snapshot():changes(): create update delete ops apply
process.with_context({}): with_context with_actor with_scope with_name with_message with_options spawn
    spawn_monitored spawn_linked spawn_linked_monitored exec
http.request(): method path query query_params header content_type content_length host param params body
    body_json has_body is_content_type accepts remote_addr parse_multipart stream
http.response(): set_status set_header set_content_type write write_json flush set_transfer write_event
http.request():stream(): read write seek flush stat close scanner
"""
)
PLACES = """
- {name: all, kind: security.policy, policy: {actions: "*", resources: "*", effect: allow}}
- {name: memory, kind: store.memory}
- {name: tokens, kind: security.token_store, store: memory}
- {name: data, kind: fs.directory, directory: data, auto_init: true}
- {name: note, kind: function.lua, method: main, source: "return {main = function() end}"}
"""
END = """
      local res = http.response()
      if res then res:write_json(out) end
      return out
    end
    return {main = main}
"""
LOOK = """
    local function at(value, path)
      for part in path:gmatch("[^.]+") do value = value[part] end
      return value
    end
    local function lacking(value, names)
      local list = {}
      for name in names:gmatch("%S+") do
        local ok, found = pcall(at, value, name)
        if not ok or found == nil then list[#list + 1] = name end
      end
      return list
    end
"""


def _table(names: dict[str, str]) -> str:
    lines = (f'out[{json.dumps(value)}] = lacking(({value}), "{listed}")' for value, listed in names.items())
    return "\n".join(lines)


def _function(body: str) -> str:
    """A function that tells what is lacking of each value: in its response where it has one, and as its result."""
    requires = "".join(f'local {module} = require("{module}")\n' for module in MODULES)
    source = f"{requires}{LOOK}\nlocal function main()\nlocal out = {{}}\n{body}\n{END}"
    indented = "\n".join(f"    {line}" for line in source.splitlines())
    head = f"- name: f\n  kind: function.lua\n  method: main\n  modules: [{', '.join(MODULES)}]\n"
    return f"{head}  source: |\n{indented}\n"


def _lacking(answer: Any) -> dict[str, list[str]]:
    return {key: names for key, names in answer.items() if names}


@pytest.mark.parametrize("names", [GLOBALS, MODULES], ids=["globals", "modules"])
def test_functions_and_constants(load_app: LoadApp, names: dict[str, str]) -> None:
    app = load_app(PLACES + _function(_table(names)))

    async def call() -> Any:
        async with app:
            return await app.call("t:f")

    answer = asyncio.run(call())
    assert set(answer) == set(names)
    assert _lacking(answer) == {}


def test_methods(load_app: LoadApp) -> None:
    entries = WEB + PLACES + _function(_table(OBJECTS)) + endpoint("e", "POST", "/x", "f")
    answer = ask(load_app(entries), "POST", "/api/x", "body").json
    assert set(answer) == set(OBJECTS)
    assert _lacking(answer) == {}
