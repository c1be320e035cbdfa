"""The tour in Python: a component of WASI 0.2. tour.wit says what each word does.

Built by componentize-py, which makes `wit_world` of the WIT; it is no part of this project's own packages.
"""

import os
import sys
import time
from urllib.parse import urlsplit

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import environment, exit, outgoing_handler
from wit_world.imports.demo_tour_types import Fault, Outcome_Dropped, Outcome_Kept
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.wasi_http_types import (
    Fields,
    IncomingBody,
    Method_Get,
    Method_Post,
    OutgoingBody,
    OutgoingRequest,
    Scheme_Http,
)


class Library(exports.Library):
    def transform(self, users):
        if not users:
            raise Err(Fault.EMPTY)
        if len(users) > 10_000:
            raise Err(Fault.TOO_MANY)
        return [(user.id, outcome(user)) for user in sorted(users, key=lambda user: user.name)]

    def read(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except OSError as error:
            raise Err(str(error)) from error


def outcome(user):
    return Outcome_Kept(f"{user.name}: {', '.join(user.tags)}") if user.active else Outcome_Dropped()


class Run(exports.Run):
    def run(self):
        _, word, *words = [*environment.get_arguments(), ""]
        try:
            WORDS[word](*words[:-1])
        except OSError as error:
            print("tour:", error, file=sys.stderr)
            raise Err(None) from error
        finally:
            sys.stdout.flush()


def arguments(*words):
    for word in words:
        print(word)


def show_environment(*names):
    values = dict(environment.get_environment())
    for name in names:
        print(f"{name}={values[name]}" if name in values else f"{name} is not set")


def upper():
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(line.upper())
        sys.stdout.flush()


def copy(source, target):
    with open(source, "rb") as reader, open(target, "wb") as writer:
        writer.write(reader.read())


def list_folder(path):
    print("\n".join(sorted(os.listdir(path))))


def sleep(milliseconds):
    before = time.monotonic()
    time.sleep(int(milliseconds) / 1000)
    print("slept" if time.monotonic() - before >= int(milliseconds) / 1000 else "woke too early")


def crash():
    raise RuntimeError("asked to")


def spin():
    print("ready", flush=True)
    while True:
        pass


def fetch(url, body=None):
    status, content = requested(url, None if body is None else body.encode())
    print(status, content.decode())


def requested(url, body):
    parts = urlsplit(url)
    request = OutgoingRequest(Fields.from_list([("x-tour", b"python")]))
    request.set_scheme(Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query(parts.path + ("?" + parts.query if parts.query else ""))
    request.set_method(Method_Get() if body is None else Method_Post())
    outgoing = request.body()
    future = outgoing_handler.handle(request, None)
    with outgoing.write() as stream:
        if body:
            stream.blocking_write_and_flush(body)
    OutgoingBody.finish(outgoing, None)
    with future.subscribe() as pollable:
        pollable.block()
    match future.get():
        case Ok(Ok(response)):
            return response.status(), contents(response.consume())
        case problem:
            raise OSError(f"{url}: {problem}")


def contents(body: IncomingBody):
    parts = []
    with body.stream() as stream:
        try:
            while True:
                parts.append(stream.blocking_read(65536))
        except Err as error:
            if not isinstance(error.value, StreamError_Closed):
                # An `Err` that left `run` would be its result, and nobody would hear of it.
                raise OSError(f"the response broke off: {error.value}") from error
    IncomingBody.finish(body)
    return b"".join(parts)


WORDS = {
    "arguments": arguments,
    "environment": show_environment,
    "upper": upper,
    "copy": copy,
    "list": list_folder,
    "remove": os.remove,
    "sleep": sleep,
    "exit": lambda code: exit.exit(Ok(None) if code == "0" else Err(None)),  # of codes, this interface has these two
    "crash": crash,
    "spin": spin,
    "fetch": fetch,
}
