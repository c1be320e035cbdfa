"""Regular expressions of policies: no text makes them take more than time linear in its length.

In: a pattern in the common syntax (that of RE2, less some). Out: whether it is found in a text. There is no going back:
all ways through the pattern are followed at the same time. Python's own `re` takes exponential time for some patterns.

    charset       sets of characters
    nodes         a pattern as a tree
    parser        text to tree
    program       tree to instructions
    matcher       instructions and a text to an answer
"""

from wippywasm.app.security.regex.matcher import MAX_TEXT, Regex, TextTooLongError
from wippywasm.app.security.regex.parser import RegexSyntaxError

__all__ = ["MAX_TEXT", "Regex", "RegexSyntaxError", "TextTooLongError"]
