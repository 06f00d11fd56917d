// Talks to the server: one turn as a stream of server-sent events.

export class RequestError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/**
 * Sends one message of a session and yields {progress}, {text}, {finish} and {usage} as they come.
 * Sending the same turn id again never runs a turn twice.
 */
export async function* sendTurn({ session, turn, text, sampling }, signal) {
  const response = await reach("v1/chat/completions", {
    method: "POST",
    signal,
    headers: { "Content-Type": "application/json", "X-Session-Id": encodeURIComponent(session), "X-Turn-Id": encodeURIComponent(turn) },
    body: JSON.stringify({
      messages: [{ role: "user", content: text }],
      stream: true,
      stream_options: { include_usage: true },
      ...sampling,
    }),
  });
  for await (const line of lines(response.body)) {
    if (line.startsWith(":")) {
      const progress = /^: prompt (\d+)\/(\d+)/.exec(line);
      if (progress) yield { progress: { done: Number(progress[1]), total: Number(progress[2]) } };
    } else if (line === "data: [DONE]") return;
    else if (line.startsWith("data: ")) yield* readChunk(JSON.parse(line.slice(6)));
  }
  throw new RequestError("The connection ended in the middle of the answer.", "interrupted");
}

/** A JSON reply, or null where there is nothing at that path. */
export async function getJson(path) {
  try {
    return await (await reach(path)).json();
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

export async function post(path) {
  return (await reach(path, { method: "POST" })).json();
}

function* readChunk(chunk) {
  if (chunk.error) throw new RequestError(chunk.error.message, chunk.error.code);
  const choice = chunk.choices[0];
  if (choice?.delta.content) yield { text: choice.delta.content };
  if (choice?.finish_reason) yield { finish: choice.finish_reason };
  if (chunk.usage) yield { usage: chunk.usage };
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts;
  }
}

async function reach(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new RequestError("The server can't be reached. Is it running?", "unreachable");
  }
  if (response.ok) return response;
  const reply = await response.json().catch(() => null);
  const failure = new RequestError(reply?.error?.message ?? `The server answered ${response.status}.`, reply?.error?.code);
  failure.status = response.status;
  throw failure;
}
