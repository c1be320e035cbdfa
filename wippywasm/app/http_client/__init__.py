"""Requests that programs make: what they ask for, as far as they may, and what comes back.

In: a method, a URL, options of Lua. Out: responses.

    options      options, checked
    tls          certificates, and names to check them for
    connect      connections, each address judged before it is reached
    client       requests, redirects among them

`client` loads aiohttp, no sooner than a program asks for something. Spec: SPEC sections 10 and 11.
"""
