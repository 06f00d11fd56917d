// Drives a running server through OpenAI's own JavaScript library: node drive.mjs URL SCENARIO. Fails by exit code.
import assert from "node:assert/strict";
import OpenAI from "openai";

const [url, scenario] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}v1`, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user", content: "Hello there" }];
const greedy = { model: "default", messages, temperature: 0, max_tokens: 12 };

const scenarios = {
  async "chat-completion"() {
    const answer = await client.chat.completions.create({ ...greedy, logprobs: true, top_logprobs: 2 });
    const choice = answer.choices[0];
    assert.equal(choice.message.role, "assistant");
    assert.equal(choice.finish_reason, "length");
    assert.equal(answer.usage.completion_tokens, 12);
    assert.equal(choice.logprobs.content.length, 12);
    for (const token of choice.logprobs.content) assert.ok(token.logprob >= token.top_logprobs[1].logprob);
    const models = [];
    for await (const model of client.models.list()) models.push(model.id);
    assert.deepEqual(models, [answer.model]);
  },

  async "streamed-chat-equals-whole-chat"() {
    const whole = await client.chat.completions.create(greedy);
    const stream = await client.chat.completions.create({ ...greedy, stream: true, stream_options: { include_usage: true } });
    let [text, finish, usage] = ["", null, null];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      finish ??= chunk.choices[0]?.finish_reason ?? null;
      usage ??= chunk.usage ?? null;
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(finish, whole.choices[0].finish_reason);
    assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
  },

  async "text-completion"() {
    const request = { model: "default", prompt: "Once upon a time", temperature: 0, max_tokens: 8 };
    const whole = await client.completions.create(request);
    let text = "";
    for await (const chunk of await client.completions.create({ ...request, stream: true })) text += chunk.choices[0]?.text ?? "";
    assert.equal(text, whole.choices[0].text);
  },

  async "kept-conversation"() {
    const session = `node-${process.pid}`;
    const options = { headers: { "X-Session-Id": session } };
    const first = await client.chat.completions.create(greedy, options);
    const next = { role: "user", content: "And then?" };
    const second = await client.chat.completions.create({ ...greedy, messages: [next] }, options);
    assert.ok(second.usage.prompt_tokens_details.cached_tokens >= first.usage.prompt_tokens);
    const history = [...messages, first.choices[0].message, next];
    const alone = await client.chat.completions.create({ ...greedy, messages: history });
    assert.equal(alone.usage.lserve.session_id, undefined);
    const contradiction = [{ role: "user", content: "Something else" }, first.choices[0].message, next];
    await assert.rejects(client.chat.completions.create({ ...greedy, messages: contradiction }, options), (error) => error.status === 409);
  },

  async "errors"() {
    const fails = (body, kind, param) =>
      assert.rejects(client.chat.completions.create({ ...greedy, ...body }), (error) => error instanceof kind && error.param === param);
    await fails({ temperature: -1 }, OpenAI.BadRequestError, "temperature");
    await fails({ n: 2 }, OpenAI.BadRequestError, "n");
    await fails({ model: "gpt-5" }, OpenAI.NotFoundError, "model");
    await fails({ tools: [{ type: "function", function: { name: "f" } }] }, OpenAI.BadRequestError, "tools");
  },
};

await scenarios[scenario]();
