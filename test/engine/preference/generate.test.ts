import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { loadRecipe } from "../../../main/engine/recipe/index.ts";
import { outputOf } from "../../../main/shared/contract/job-types.ts";
import { isAppError } from "../../../main/shared/errors.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import { DEFAULT_MARKERS } from "../../../main/shared/markers.ts";
import { parseResponse } from "../../../main/shared/response-format.ts";
import type { Script } from "../../harness/scripted-runner.ts";
import { goodScript, isRejectedPrompt, openWorkspace, QUESTIONS } from "./support.ts";

let workspace: ReturnType<typeof openWorkspace>;
const open = (script?: Script) => (workspace = openWorkspace(script));
beforeEach(() => void open());
afterEach(async () => {
  await workspace.close();
  workspace.remove();
});

async function replaceWorkspace(script: Script) {
  await workspace.close();
  workspace.remove();
  return open(script);
}

async function generate(input: Partial<Parameters<typeof workspace.preference.handlers.generate>[0]> = {}) {
  const { handlers } = workspace.preference;
  const { jobId } = await handlers.generate({ count: 2, seed: 3, ...input }, new AbortController().signal);
  return outputOf(await workspace.jobs.wait(jobId as JobId), "preference.generate");
}

const list = (input = {}) =>
  workspace.preference.handlers.list(input, new AbortController().signal) as Awaited<
    ReturnType<typeof workspace.preference.handlers.list>
  >;

describe("an accepted pair", () => {
  test("has structured thinking and an answer as chosen, and the policy's own words as rejected", async () => {
    const { rows } = await generate();
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(QUESTIONS).toContain(row.question);
      const { thinking, answer, problems } = parseResponse(row.chosen, DEFAULT_MARKERS);
      expect(problems).toEqual([]);
      expect(thinking).toContain("Reasoning Steps:\n- ");
      expect(answer).not.toBe("");
      expect(row.rejected).toMatch(/^Many factors/);
      expect(row.thinking.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["Reasoning Steps", "Relevant Materials or Concepts"]),
      );
      expect(row.sources[0]).toMatchObject({ role: "source", score: null, title: "A paper" });
      expect(
        row.sources.slice(1).every(({ role, chunkId }) => role === "retrieved" && chunkId !== row.sources[0]!.chunkId),
      ).toBe(true);
    }
    expect(workspace.followedUp.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(workspace.emitted).toContainEqual(["preference.changed", { pairIds: [rows[0]!.id] }]);
  });

  test("says where every token came from", async () => {
    const [row] = (await generate({ teacher: "big", policy: "small" })).rows;
    const { provenance } = workspace.preference.api.getPair(row!.id)!;
    expect(provenance).toMatchObject({
      teacher: "big",
      teacherSha256: "sha256 of big",
      policy: "small",
      policyAdapter: null,
      promptSet: "tiny",
      writer: "lines",
      threads: 1,
      libraryVersion: "scripted",
    });
    expect(provenance.promptHash).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(provenance.sampler)).toEqual(
      expect.arrayContaining(["question", "step 0", "answer", "rejected-direct"]),
    );
    const calls = workspace.preference.api.pairEvents(row!.id).find(({ kind }) => kind === "calls")!.payload as {
      sampler: { seed: number };
    }[];
    const seeds = calls.map(({ sampler }) => sampler.seed);
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  test("has its rejected response from the policy with the given adapter, all else from the bare teacher", async () => {
    const adapter = join(workspace.dir, "a.gguf");
    writeFileSync(adapter, "adapter bytes");
    const [row] = (await generate({ adapter, stage: "exo", teacher: "big", policy: "small", count: 1 })).rows;
    for (const request of workspace.runner.requests) {
      const expected = isRejectedPrompt(request) ? ["/models/small.gguf", adapter] : ["/models/big.gguf", null];
      expect([request.modelPath, request.adapterPath]).toEqual(expected);
    }
    const rejected = workspace.runner.requests.filter(isRejectedPrompt);
    expect(rejected[0]!.messages).toEqual([{ role: "user", content: row!.question }]);
    expect(workspace.preference.api.getPair(row!.id)!.provenance.policyAdapterSha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("sources and seeds", () => {
  test("unsampled chunks come first", async () => {
    const { rows } = await generate({ count: 3 });
    expect(new Set(rows.map((row) => row.sources[0]!.chunkId)).size).toBe(3);
  });

  test("the same seed asks the same model the same, in a new workspace too; another seed does not", async () => {
    const ask = async (seed: number) => {
      await replaceWorkspace(goodScript);
      await generate({ seed, count: 3 });
      return workspace.runner.requests;
    };
    const first = await ask(3);
    expect(await ask(3)).toEqual(first);
    expect(await ask(4)).not.toEqual(first);
  });

  test("asked again with the same seed, the experiment goes on behind its last pair", async () => {
    const first = await generate({ count: 1 });
    const nRequests = workspace.runner.requests.length;
    expect((await generate({ count: 1 })).rows).toEqual(first.rows);
    expect(workspace.runner.requests).toHaveLength(nRequests);
    const more = await generate({ count: 2 });
    expect(more.rows[0]).toEqual(first.rows[0]);
    expect(more.rows).toHaveLength(2);
  });
});

describe("filtered attempts", () => {
  const bad =
    (prefill: string | undefined, text: string): Script =>
    (request, i) =>
      request.prefill === prefill ? text : goodScript(request, i);
  const loop = "the pore is the pore is the pore is the pore is the pore is the pore is the pore.";

  test.each<[string, Script]>([
    ["question_form", bad("Question:", "Graphene is good.")],
    ["question_too_short", bad("Question:", "Why graphene sheets?")],
    ["question_refers_to_text", bad("Question:", "What does this study say about graphene sheets and conductivity?")],
    ["question_off_topic", bad("Question:", "How do penguins survive in polar winter storms?")],
    ["question_copied_from_prompt", bad("Question:", "How does the Moon improve electrical conductivity of graphene?")],
    ["answer_empty", bad("Answer:", "no whole sentence")],
    ["answer_too_short", bad("Answer:", "It does.")],
    ["answer_repeats_itself", bad("Answer:", loop)],
    [
      "answer_not_english",
      bad(
        "Answer:",
        "石墨烯片包裹颗粒并提高导电性。 Graphene sheets wrap particles of the cathode and so on in the end.",
      ),
    ],
    ["rejected_empty", bad(undefined, "")],
    ["rejected_repeats_itself", bad(undefined, loop)],
    ["rejected_unclosed", bad(undefined, "<think>\nGraphene sheets conduct, so perhaps the answer is that")],
    [
      "rejected_echo",
      ({ messages, ...request }, i) => bad(undefined, messages.at(-1)!.content)({ messages, ...request }, i),
    ],
    ["rejected_echo", bad(undefined, "Answer directly in two or three sentences.")],
  ])("%s ends an attempt, is kept and is counted", async (reason, script) => {
    await replaceWorkspace(script);
    const error: unknown = await generate({ count: 1 }).catch((thrown: unknown) => thrown);
    expect(isAppError(error, "GENERATION_FAILED")).toBe(true);
    const { rows, filterCounts, total } = list({ status: "filtered" });
    expect(Object.keys(filterCounts)).toContain(reason);
    expect(rows).toHaveLength(total);
    expect(error).toMatchObject({ details: { nAttempts: total, filterCounts }, hint: expect.any(String) });
    expect(workspace.followedUp).toEqual([]);
  });

  test("the text that was refused is kept with the attempt", async () => {
    await replaceWorkspace(bad("Question:", "Graphene is good."));
    await generate({ count: 1 }).catch(() => {});
    const texts = (column: "question" | "chosen" | "rejected") =>
      list({ status: "filtered" }).rows.map((row) => row[column]);
    expect(texts("question")).toContain("Graphene is good.");
    await replaceWorkspace(bad("Answer:", "It does."));
    await generate({ count: 1 }).catch(() => {});
    expect(texts("chosen")).toContainEqual(expect.stringMatching(/<\|\/thinking\|>\nIt does\.$/));
    await replaceWorkspace(bad(undefined, "Answer directly in two or three sentences."));
    await generate({ count: 1 }).catch(() => {});
    expect(texts("rejected")).toContain("Answer directly in two or three sentences.");
  });

  test("what the policy thinks by itself is not in its response, and the call keeps it", async () => {
    const said = "Many factors matter here, and in general it depends on the conditions that were chosen.";
    await replaceWorkspace(bad(undefined, `<think>\nHm.\n</think>\n\n${said}`));
    const [row] = (await generate({ count: 1 })).rows;
    expect(row!.rejected).toBe(said);
    const calls = workspace.preference.api.pairEvents(row!.id).find(({ kind }) => kind === "calls")!.payload;
    expect(calls).toContainEqual(expect.objectContaining({ task: "rejected-direct", ownThinking: 1 }));
  });

  test("a pair whose sides say the same carries no signal", async () => {
    let answer = "";
    await replaceWorkspace((request, i) => {
      if (isRejectedPrompt(request)) return answer;
      const text = goodScript(request, i) as string;
      if (request.prefill === "Answer:") answer = text;
      return text;
    });
    await generate({ count: 1 }).catch(() => {});
    expect(list().filterCounts).toMatchObject({ no_signal: 3 });
    expect(list({ status: "accepted" }).total).toBe(0);
  });

  test("what says the same carries no signal behind thinking in other markers than the recipe's, either", async () => {
    const path = join(workspace.dir, "other-markers.yaml");
    const demo = loadRecipe("demo", join(import.meta.dirname, "../../../resources/recipes"));
    const markers = { ...DEFAULT_MARKERS, thinkingOpen: "[[thinking]]", thinkingClose: "[[/thinking]]" };
    writeFileSync(path, stringify({ ...demo, markers }));
    const { thinkingOpen, thinkingClose } = DEFAULT_MARKERS;
    const thoughts = "Penguins huddle in polar storms, and a glacier grinds the valley below to fine grey flour.";
    let answer = "";
    const dir = workspace.dir;
    await workspace.close();
    workspace = openWorkspace((request, i) => {
      if (isRejectedPrompt(request)) return `${thinkingOpen}\n${thoughts}\n${thinkingClose}\n${answer}`;
      const text = goodScript(request, i) as string;
      if (request.prefill === "Answer:") answer = text;
      return text;
    }, dir);
    await generate({ count: 1, recipe: path }).catch(() => {});
    expect(list().filterCounts).toMatchObject({ no_signal: 3 });
  });

  test("a pair longer than max_length is left out, not cut", async () => {
    await replaceWorkspace((request, i) => (isRejectedPrompt(request) ? longProse : goodScript(request, i)));
    await generate({ count: 1 }).catch(() => {});
    expect(Object.keys(list().filterCounts)).toContain("too_long");
  });

  test("a sentence of the answer that points to the source or says a thing twice is left out, the rest stands", async () => {
    const tail = " The study shows that more work is needed here.";
    await replaceWorkspace((request, i) => {
      const text = goodScript(request, i) as string;
      if (request.prefill !== "Answer:") return text;
      const [first] = text.split(/(?<=\.) /).filter((sentence) => sentence.trim() !== "");
      return `${text} ${first}${tail}`;
    });
    const [row] = (await generate({ count: 1 })).rows;
    const { answer } = parseResponse(row!.chosen, DEFAULT_MARKERS);
    expect(answer).not.toContain("study");
    expect(answer.match(/\./g)).toHaveLength(2);
  });

  test("the first attempt that passes after a failed try is taken", async () => {
    let n = 0;
    await replaceWorkspace((request, i) =>
      request.prefill === "Question:" && n++ === 0 ? "No." : goodScript(request, i),
    );
    await generate({ count: 1 });
    const [first, second] = workspace.runner.requests;
    expect(first!.sampler).toMatchObject({ temperature: 0 });
    expect(second!.sampler).toMatchObject({ temperature: 0.4, minP: 0.1 });
    expect(second!.sampler.seed).not.toBe(first!.sampler.seed);
  });
});

// more words than the recipe's max_length, and no four of them twice
const longProse = Array.from({ length: 300 }, (_, i) => `Reason${i} is${i} one of many`).join(" that ") + ".";

test("a killed round goes on behind its last row, and follows up on what it has", async () => {
  let nQuestions = 0;
  await replaceWorkspace((request, i) => {
    if (request.prefill === "Question:" && ++nQuestions === 2) throw new Error("the power went out");
    return goodScript(request, i);
  });
  await generate({ count: 2 }).catch(() => {});
  expect(list().total).toBe(1);
  const before = list().rows[0]!;
  await workspace.close();
  workspace = openWorkspace(goodScript, workspace.dir);
  const { rows } = await generate({ count: 2 });
  expect(rows.map(({ ordinal }) => ordinal)).toEqual([0, 1]);
  expect(rows[0]).toEqual(before);
  expect(workspace.followedUp.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
});

test("a recipe without the asked stage is refused before any work", async () => {
  const recipe = join(workspace.dir, "orpo-only.yaml");
  const demo = loadRecipe("demo", join(import.meta.dirname, "../../../resources/recipes"));
  writeFileSync(recipe, stringify({ ...demo, stages: demo.stages.slice(0, 1) }));
  await expect(generate({ recipe, stage: "exo" })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
});

test("a recipe in another language is refused where only code for English could write its pairs", async () => {
  const recipe = join(workspace.dir, "german.yaml");
  const demo = loadRecipe("demo", join(import.meta.dirname, "../../../resources/recipes"));
  writeFileSync(recipe, stringify({ ...demo, language: "de" }));
  await expect(generate({ recipe })).rejects.toMatchObject({
    code: "VALIDATION_FAILED",
    message: expect.stringContaining("tiny"),
    hint: expect.stringContaining("standard"),
  });
  expect(workspace.runner.requests).toEqual([]);
});
