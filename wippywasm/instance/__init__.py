"""Plan + engine + hosts → guests that Python calls.

In: a `Plan`, an `Engine`, and what Python supplies for the imports. Out: `Component` and `Guest`.

    load                         a path, bytes or text to a `Component`
    component, functions         what it exports and imports
    linked_component             its imports found: instances of it
    closing                      the ends of `with` blocks
    signatures                   a component's types against those of its entry
    link, linked, providers      its imports found in what Python gives
    host_modules                 core modules given for imports
    host_components              components given for imports
    names, grants, arity         names of WIT and Python, what grants an import, how many arguments a callable takes
    frame, builtins              a plan's steps done in a store
    guest, exports               calls, namespaces, resource classes
    limits, suggest              bounds of a guest, near names
"""
