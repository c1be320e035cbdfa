"""HTTP of an app: services, the routers and folders on them, endpoints that call functions.

In: entries of the kinds `http.*`. Out: replies.

    address, paths, routes       where a service listens; paths and patterns; which endpoint a request is for
    options, plan                middleware with its options; what each service serves, from the entries alone
    problems, body, reply        what goes wrong; the request's body; the reply as it grows
    exchange, callee, respond    one request with its reply; what is needed of the app; results as replies
    endpoints, middleware,       what handles an exchange
      static
    site, connection, server     what a service serves, ready to be called; its connections; the service
    services                     all services, as a part of the app

Loading the package loads no aiohttp: `services` does, which only an app with a service loads. Spec: SPEC section 12.
"""
