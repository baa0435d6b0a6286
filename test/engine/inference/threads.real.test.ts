import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDemoModels } from "../../harness/model-cache.ts";
import { startTestHost } from "../../harness/model-host.ts";

/** On a busy machine two threads can be fifty times slower than one: so few tokens. */
const QUESTION = "The cuticle of a nematode is made of collagens, which keep the shape of its body. ".repeat(12);
const SAMPLER = { temperature: 0.8, topP: 0.95, seed: 5, maxTokens: 12 };

let modelPath: string;
const hosts: ReturnType<typeof startTestHost>[] = [];
beforeAll(async () => void (modelPath = (await ensureDemoModels()).chatModelPath));
afterAll(async () => {
  delete process.env["PREFLEXOR_THREADS"];
  for (const { host } of hosts) await host.stop();
});

/** What a host says that was started with this number of threads, or with none given. */
async function said(threads: number | null) {
  if (threads === null) delete process.env["PREFLEXOR_THREADS"];
  else process.env["PREFLEXOR_THREADS"] = String(threads);
  const started = startTestHost();
  hosts.push(started);
  const { runner } = started;
  const messages = [{ role: "user" as const, content: QUESTION }];
  const request = { modelPath, adapterPath: null, messages, sampler: SAMPLER };
  const { text } = await runner.generate(request, () => {});
  const { prompt } = await runner.encodePair({ modelPath, messages, chosen: "a", rejected: "b" });
  const sequences = [{ ids: prompt, from: prompt.length - 4 }];
  const [logps] = await runner.logProbs({ modelPath, adapterPath: null, sequences });
  return { text, logps, threads: (await runner.facts()).threads };
}

test("texts and log-probs do not depend on the number of threads, which may so be chosen while running", async () => {
  const one = await said(1);
  const two = await said(2);
  const chosen = await said(null);
  expect(one.threads).toBe(1);
  expect(two.threads).toBe(2);
  expect(chosen.threads).toBeGreaterThanOrEqual(1);
  expect(two).toMatchObject({ text: one.text, logps: one.logps });
  expect(chosen).toMatchObject({ text: one.text, logps: one.logps });
}, 300_000);
