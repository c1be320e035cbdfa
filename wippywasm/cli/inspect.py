"""`wippywasm inspect FILE`: what a module or component is, what it needs, and how to run it here.

In: a file. Out: a report, or one part of it: JSON, WIT, the tree, the definition file. A file that is none of ours is
exit code 2. Spec: SPEC section 13.
"""

from __future__ import annotations

import sys

import click

from wippywasm.cli.failures import blaming_the_user
from wippywasm.cli.output import print_json, print_line, say, styled, tame, write_output
from wippywasm.cli.settings import common_options, settings_of
from wippywasm.inspect import Inspection, inspect
from wippywasm.inspect.json_form import to_json
from wippywasm.inspect.page import page
from wippywasm.inspect.report import report, tree_lines


@click.command(name="inspect")
@click.argument("file", type=click.Path())
@click.option("--wit", "form", flag_value="wit", help="Print its world and all that this uses, as WIT.")
@click.option("--tree", "form", flag_value="tree", help="Print what is inside of what, with sizes.")
@click.option("--entry", "form", flag_value="entry", help="Print the definition file to paste, and nothing else.")
@click.option("--html", metavar="OUT", help="Write a page with the structure drawn; '-' for standard output.")
@click.option("--method", metavar="NAME", help="Write an entry for this export only.")
@common_options
@click.pass_context
def inspect_command(context: click.Context, file: str, form: str | None, html: str | None, method: str | None) -> None:
    """Explain the module or component in FILE: its world, what grants its imports, and how to run it here.

    Entries are written for the app in the folder of -C.
    """
    settings = settings_of(context)
    with blaming_the_user():
        found = inspect(file, app=settings.directory, method=method)
        if html is not None:
            write_output(html, page(found).encode())
            return
        form_of_all = to_json(found) if settings.is_json else None
    if form_of_all is not None:
        print_json(form_of_all)
    else:
        {"wit": _wit, "tree": _tree, "entry": _entry}.get(form or "", _report)(found)


def _report(found: Inspection) -> None:
    for number, section in enumerate(report(found)):
        print_line(("\n" if number else "") + styled(tame(section.heading), sys.stdout, bold=True))
        for line in section.lines:
            print_line(f"  {tame(line)}".rstrip())


def _wit(found: Inspection) -> None:
    if found.wit:
        print_line(found.wit.rstrip("\n"))
    elif found.world:
        say(found.world.removeprefix("// "))
    else:
        say("a core module says nothing of WIT; its functions stand in 'wippywasm inspect FILE'")


def _tree(found: Inspection) -> None:
    for line in tree_lines(found.tree) if found.tree is not None else ():
        print_line(tame(line))


def _entry(found: Inspection) -> None:
    if found.definition is None:
        say("it exports no function that can be called by id")
        return
    print_line(found.definition.text.rstrip("\n"))
    for note in found.definition.notes:
        say(f"note: {tame(note)}")
