// The official TypeScript SDK against the simulator. Argument: the server program.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import Anthropic from "@anthropic-ai/sdk";

const program = process.argv[2];

/** Runs `use(client options)` against a fresh server with the scenario's overrides. */
async function serving(overrides, use) {
  const server = spawn(program, overrides, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [line] = await once(server.stdout, "data");
    const baseURL = `http://127.0.0.1:${String(line).trim()}`;
    await use((options = {}) => new Anthropic({ apiKey: "test-key", baseURL, maxRetries: 0, ...options }));
  } finally {
    server.stdin.end();
    await once(server, "exit");
  }
}

const hello = { model: "claude-haiku-5-5", max_tokens: 1000, messages: [{ role: "user", content: "Hello" }] };

await serving([], async (connect) => {
  const client = connect();
  const message = await client.messages.create(hello);
  assert.equal(message.type, "message");
  assert.equal(message.content[0].type, "text");
  assert.equal(message.stop_reason, "end_turn");
  assert.ok(message.usage.output_tokens > 0);
  assert.match(message._request_id, /^req_/);

  const stream = client.messages.stream(hello);
  let text = "";
  stream.on("text", (delta) => (text += delta));
  const last = await stream.finalMessage();
  assert.equal(last.content[0].text, text);
  assert.equal(text, message.content[0].text);
  assert.deepEqual(last.usage.output_tokens, message.usage.output_tokens);

  const counted = await client.messages.countTokens({ model: hello.model, messages: hello.messages });
  assert.equal(counted.input_tokens, message.usage.input_tokens);

  const ids = [];
  for await (const model of client.models.list({ limit: 3 })) ids.push(model.id);
  assert.equal(ids.length, 8);
  assert.equal(new Set(ids).size, 8);
  assert.equal((await client.models.retrieve("claude-opus-5-5")).display_name, "Claude Opus 5.5");

  await assert.rejects(connect({ apiKey: "sk-ant-invalid-key" }).messages.create(hello), Anthropic.AuthenticationError);
  await assert.rejects(client.messages.create({ ...hello, model: "none" }), Anthropic.NotFoundError);
  await assert.rejects(client.messages.create({ ...hello, messages: [] }), Anthropic.BadRequestError);
  const byToken = new Anthropic({ apiKey: null, authToken: "token", baseURL: client.baseURL, maxRetries: 0 });
  assert.equal((await byToken.messages.create(hello)).type, "message");
});

await serving(["limits.requests_per_minute=1"], async (connect) => {
  const client = connect();
  await client.messages.create(hello);
  const error = await client.messages.create(hello).then(assert.fail, (e) => e);
  assert.ok(error instanceof Anthropic.RateLimitError);
  assert.equal(error.status, 429);
  assert.ok(Number(error.headers.get("retry-after")) > 0);
});

await serving(["account.error=permission"], async (connect) => {
  await assert.rejects(connect().messages.create(hello), Anthropic.PermissionDeniedError);
});

await serving(["faults.server_error=1"], async (connect) => {
  await assert.rejects(connect().messages.create(hello), Anthropic.InternalServerError);
});

await serving(["faults.stream_error=1"], async (connect) => {
  await assert.rejects(connect().messages.stream(hello).finalMessage(), Anthropic.APIError);
});

await serving(["faults.reset_after_billing=1"], async (connect) => {
  await assert.rejects(connect().messages.create(hello), Anthropic.APIConnectionError);
});

// Each attempt is drawn anew, so the SDK's own retries get through; most of 20 prompts need at least one.
await serving(["faults.overloaded=0.5", "seed=5"], async (connect) => {
  const client = connect({ maxRetries: 12 });
  const prompts = Array.from({ length: 20 }, (_, i) => `Prompt ${i}`);
  const answers = await Promise.all(
    prompts.map((content) => client.messages.create({ ...hello, messages: [{ role: "user", content }] })),
  );
  assert.equal(answers.filter((answer) => answer.stop_reason === "end_turn").length, 20);
});

console.log("The official SDK works against the simulator.");
