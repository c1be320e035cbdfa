// An HTTP server in JavaScript: the fetch event of componentize-js, which is wasi:http/incoming-handler.

addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const url = new URL(request.url);
  switch (url.pathname.split("/").pop()) {
    case "echo":
      return new Response(request.body, { headers: { "content-type": request.headers.get("content-type") ?? "text/plain" } });
    case "described": {
      const body = await request.text();
      return Response.json({ method: request.method, query: url.search, body, agent: request.headers.get("x-agent") });
    }
    case "slow":
      await new Promise((resolve) => setTimeout(resolve, Number(url.searchParams.get("ms"))));
      return new Response("slept");
    case "stream":
      return new Response(numbers(Number(url.searchParams.get("n"))));
    case "broken":
      throw new Error("asked to");
    default:
      return new Response(`no ${url.pathname}`, { status: 404 });
  }
}

/** Lines, each when it is asked for. */
function numbers(count) {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next === count) return controller.close();
      controller.enqueue(new TextEncoder().encode(`${next++}\n`));
    },
  });
}
