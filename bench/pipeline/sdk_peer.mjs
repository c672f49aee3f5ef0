// The peer above the floor: the official TypeScript SDK posts one body N times, C at a time, and keeps nothing of the
// answers but their length. Arguments: base URL, N, C, file with the body. Prints one JSON line.
import { readFileSync } from "node:fs";
import process from "node:process";
import Anthropic from "@anthropic-ai/sdk";

const [baseURL, requests, concurrency, bodyFile] = process.argv.slice(2);
const client = new Anthropic({ apiKey: "bench-key", baseURL, maxRetries: 0 });
const body = JSON.parse(readFileSync(bodyFile, "utf8"));
let begun = 0;
let characters = 0;

async function slot() {
  while (begun++ < Number(requests)) {
    const message = await client.messages.create(body);
    for (const block of message.content) characters += (block.text ?? "").length;
  }
}

const cpuBefore = process.cpuUsage();
const start = process.hrtime.bigint();
await Promise.all(Array.from({ length: Number(concurrency) }, slot));
const used = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({
  wall_s: Number(process.hrtime.bigint() - start) / 1e9,
  cpu_ms_per_request: (used.user + used.system) / 1e3 / Number(requests),
  peak_rss_mb: process.resourceUsage().maxRSS / 1024,
  characters,
}));
