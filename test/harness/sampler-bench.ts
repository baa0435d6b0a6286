/**
 * @file `node test/harness/sampler-bench.ts`: tokens a second by sampler, in turn, so that a busy moment
 * hits all alike; and how many texts of the same seed a bounded top-k leaves as they are.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename, join } from "node:path";
import { createModelRunner, type Sampler } from "../../main/engine/inference/index.ts";
import { ensureDemoModels, ensureGemma } from "./model-cache.ts";
import { startTestHost } from "./model-host.ts";

const MAX_TOKENS = 96;
const SAMPLERS: Record<string, Omit<Sampler, "seed" | "maxTokens">> = {
  greedy: { temperature: 0 },
  "min-p 0.1, all tokens": { temperature: 0.7, minP: 0.1 },
  "min-p 0.1, top-k 1,000": { temperature: 0.7, minP: 0.1, topK: 1000 },
};
const QUESTIONS = [
  "Why is nacre tough?",
  "How does spider silk dissipate energy?",
  "What does annealing do to a metal?",
  "How do pores change ion transport in carbon?",
  "Why do collagen fibrils have a banding pattern?",
  "How can a hydrogel heal itself?",
  "What limits the strength of wood?",
  "How does a lotus leaf stay clean?",
  "Why does bone remodel under load?",
  "How do chiral structures arise in chitin?",
  "What makes mycelium composites light?",
  "How does humidity change the stiffness of keratin?",
];

const gemma = await ensureGemma();
const gemmaTemplate = readFileSync(join(import.meta.dirname, "../fixtures/chat-templates/gemma-like.jinja"), "utf8");
const { host } = startTestHost();
const runner = createModelRunner(
  host,
  async () => false,
  (path) => (path === gemma ? gemmaTemplate : undefined),
);
console.log(
  `${cpus()[0]?.model.trim()}, ${cpus().length} cores; ${QUESTIONS.length} questions, up to ${MAX_TOKENS} tokens`,
);

for (const modelPath of [(await ensureDemoModels()).chatModelPath, gemma]) {
  const rates = new Map<string, number[]>(Object.keys(SAMPLERS).map((name) => [name, []]));
  const ask = async (question: string, sampler: (typeof SAMPLERS)[string], seed: number) => {
    const request = { messages: [{ role: "user" as const, content: question }], modelPath, adapterPath: null };
    let firstAt = 0;
    const { text, nTokens } = await runner.generate(
      { ...request, sampler: { ...sampler, seed, maxTokens: MAX_TOKENS } },
      () => (firstAt ||= performance.now()),
    );
    // from the first text on: the reading of the prompt is not in it
    return { text, nTokens, rate: (1000 * (nTokens - 1)) / (performance.now() - firstAt) };
  };
  await ask(QUESTIONS[0]!, { temperature: 0 }, 1);
  let nSame = 0;
  for (const [index, question] of QUESTIONS.entries()) {
    const texts: string[] = [];
    for (const [name, sampler] of Object.entries(SAMPLERS)) {
      const { text, nTokens, rate } = await ask(question, sampler, index + 1);
      texts.push(text);
      if (nTokens >= MAX_TOKENS / 2) rates.get(name)!.push(rate);
    }
    if (texts[1] === texts[2]) nSame++;
  }
  console.log(`\n${basename(modelPath)}: ${nSame} of ${QUESTIONS.length} texts the same with and without top-k 1,000`);
  for (const [name, found] of rates) {
    const sorted = found.toSorted((a, b) => a - b);
    const shown = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((rate) => rate?.toFixed(1) ?? "none");
    console.log(`  ${name.padEnd(24)} ${shown.join(" · ")} tokens/s (min · median · max of ${sorted.length})`);
  }
}
await host.stop();
