import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHostEmbedder } from "../../../main/engine/embedding/index.ts";
import { outputOf } from "../../../main/shared/contract/job-types.ts";
import { encodeMaskedPair } from "../../../main/engine/preference/index.ts";
import { loadRecipe } from "../../../main/engine/recipe/index.ts";
import { schemaOf } from "../../../main/engine/preference/generate/write-by-grammar.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import { DEFAULT_MARKERS as markers } from "../../../main/shared/markers.ts";
import { formatResponse, parseResponse } from "../../../main/shared/response-format.ts";
import { type DemoModels, ensureDemoModels } from "../../harness/model-cache.ts";
import { startTestHost } from "../../harness/model-host.ts";
import { newDir, openWith } from "./support.ts";

const recipesDir = join(import.meta.dirname, "../../../resources/recipes");
let models: DemoModels;
const { host, runner } = startTestHost();
beforeAll(async () => {
  models = await ensureDemoModels();
});
afterAll(() => host.stop());

async function generatePair() {
  const resolveModel = () => ({ name: "smollm2", path: models.chatModelPath, sha256: "0" });
  const workspace = openWith({
    runner,
    embedder: createHostEmbedder(host, models.embedderDir),
    resolveModel,
    dir: newDir(),
  });
  try {
    const { jobId } = await workspace.preference.handlers.generate({ count: 1, seed: 1 }, new AbortController().signal);
    return outputOf(await workspace.jobs.wait(jobId as JobId), "preference.generate").rows[0]!;
  } finally {
    await workspace.close();
    workspace.remove();
  }
}

test("a very small model makes a well-formed pair, and makes it again to the same text", async () => {
  const pair = await generatePair();
  expect(pair.question).toMatch(/\?$/);
  expect(parseResponse(pair.chosen, markers).problems).toEqual([]);
  expect(pair.thinking.find(({ name }) => name === "Reasoning Steps")!.statements.length).toBeGreaterThan(1);
  expect(pair.rejected).not.toBe("");
  const again = await generatePair();
  const essence = ({ question, chosen, rejected, sources }: typeof pair) => ({ question, chosen, rejected, sources });
  expect(essence(again)).toEqual(essence(pair));
});

test("masks lie on the real tokenizer's tokens", async () => {
  const answer = "Graphene carries the electrons.";
  const thinking = "Reasoning Steps:\n- Graphene wraps the particles.";
  const modelPath = models.chatModelPath;
  const messages = [{ role: "user" as const, content: "How does graphene help?" }];
  const texts = { chosen: formatResponse({ thinking, reflection: "", answer }, markers), rejected: answer };
  const encode = (mask: Parameters<typeof encodeMaskedPair>[1]["mask"]) =>
    encodeMaskedPair(runner, { modelPath, messages, ...texts, markers, mask, seed: 1 });
  const kept = (ids: number[], mask: number[], bit: number) => ids.filter((_, i) => mask[i] === bit);

  const answerOnly = await encode("answer_only");
  // the answer behind a line end has the tokens of the answer alone, end of turn included
  expect(kept(answerOnly.chosen, answerOnly.chosen_mask, 1)).toEqual(answerOnly.rejected);
  expect(answerOnly.rejected_mask).toEqual(answerOnly.rejected.map(() => 1));

  const allThinking = await encode({ thinking_fraction: 1 });
  const plain = await runner.encodePair({ modelPath, messages, chosen: thinking, rejected: answer });
  expect(kept(allThinking.chosen, allThinking.chosen_mask, 0)).toEqual(plain.chosen.slice(0, -1));
});

test("the schema made from a recipe's sections is a grammar that the model host can follow", async () => {
  const sections = loadRecipe("workstation", recipesDir).sections.slice(0, 2);
  const { text, stopReason } = await runner.generate(
    {
      modelPath: models.chatModelPath,
      adapterPath: null,
      messages: [{ role: "user", content: "Say why ice floats." }],
      sampler: { temperature: 0, seed: 1, maxTokens: 400, dry: { strength: 0.8, allowedLength: 4 } },
      jsonSchema: schemaOf(sections),
    },
    () => {},
  );
  expect(text).toMatch(/^\s*\{\s*"Reasoning Steps"\s*:\s*\[/);
  if (stopReason === "max_tokens") return;
  const parsed = JSON.parse(text) as Record<string, string[]>;
  for (const { name, minStatements, maxStatements } of sections) {
    expect(parsed[name]!.length).toBeGreaterThanOrEqual(minStatements);
    expect(parsed[name]!.length).toBeLessThanOrEqual(maxStatements);
  }
});
