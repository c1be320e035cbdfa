"""Loading the app that a command is about.

In: settings. Out: an `App`; its warnings go to standard error, and so does from now on what it logs.
"""

from __future__ import annotations

from wippywasm.app.application import App
from wippywasm.cli.failures import blaming_the_user
from wippywasm.cli.logs import configure_logs
from wippywasm.cli.output import say_problems
from wippywasm.cli.progress import ProgressBar
from wippywasm.cli.settings import Settings


def read_app(settings: Settings, directory: str) -> App:
    """The app in `directory`, with a bar while it compiles; raises `UsageFailure` where it is refused."""
    with blaming_the_user(), ProgressBar("compiling") as bar:
        return App.load(directory, engine=settings.engine, overrides=settings.overrides, progress=bar)


def load_app(settings: Settings, directory: str | None = None) -> App:
    """The app in `directory`, else in the folder of `-C`, with its logs set up; `settings.log` says how, afterwards.

    Raises `UsageFailure` where the app is refused.
    """
    app = read_app(settings, directory or settings.directory)
    settings.log = settings.log or app.settings.observe.log_encoding
    configure_logs(settings.log, settings.verbosity)
    if settings.verbosity:
        say_problems(app.warnings, "warning")
    return app
