"""What an unknown binary is, what it needs, and how to run it here.

In: a file. Out: an `Inspection`, and its forms: a report for people, JSON, a page with a drawing.

    files, parts, read          a file to an `Inspection`
    model                       what there is to know
    exports, samples, imports   how functions are called, what grants imports
    definition                  the entries to paste
    modules, tree, graph        core modules, nesting, what is linked to what
    worlds                      WIT
    report, json_form           the forms for people and for programs
    page, drawing               the same as one HTML page

Spec: SPEC section 13.
"""

from wippywasm.inspect.model import Inspection
from wippywasm.inspect.read import inspect

__all__ = ["Inspection", "inspect"]
