import { DEFAULT_MARKERS, type MarkerSet } from "../../../main/shared/markers.ts";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import type { Emit } from "../../../main/engine/lib/events.ts";
import type { GenerateRequest, ModelRunner } from "../../../main/engine/inference/index.ts";
import { createJobQueue, createJobStore, type JobQueue } from "../../../main/engine/jobs/index.ts";
import { newId } from "../../../main/engine/lib/ids.ts";
import { createSilentLogger } from "../../../main/engine/lib/logger.ts";
import { createReflection, type Reflection, type Reviser } from "../../../main/engine/reflection/index.ts";
import { reviseByLines } from "../../../main/engine/small-models/index.ts";
import type { SearchHit } from "../../../main/shared/contract/corpus.ts";
import type { ChunkId, DocumentId } from "../../../main/shared/ids.ts";
import { createFakeEmbedder } from "../../harness/fake-embedder.ts";
import { createScriptedReflector, type Reply } from "../../harness/scripted-reflector.ts";

const promptsDir = resolve(import.meta.dirname, "../../../resources/prompts");
const QUESTION = "How does graphene improve the rate capability of LiFePO4 cathodes?";
const FACTS = [
  "Graphene improves the rate capability of LiFePO4 cathodes because its sheets form a conductive network.",
  "The rate capability of LiFePO4 cathodes is limited by slow diffusion of lithium ions in large particles.",
  "Microwave heating wraps graphene around the LiFePO4 particles, which raises the rate capability of the cathodes.",
  "The rate capability of LiFePO4 cathodes can fall when graphene oxide in the powder is not reduced by heating.",
];

let dir: string;
let db: Db;
let events: { name: string; payload: unknown }[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-reflection-"));
  db = openDatabase(dir);
  events = [];
});
afterEach(() => {
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});

/** What a model would say to each task of the tiny set. */
const wellBehaved: Reply = ({ messages, prefill = "" }) => {
  const asked = messages.at(-1)!.content;
  const fact = FACTS.find((fact) => asked.includes(fact));
  if (prefill.startsWith("The thinking leaves out")) return ` ${fact!.charAt(0).toLowerCase()}${fact!.slice(1)}`;
  if (asked.endsWith("Write this as one short sentence.")) return fact!;
  if (asked.endsWith("Merge these answers into one."))
    return "Graphene wires the particles, and small particles keep the way short.";
  if (prefill.trimEnd().endsWith("<|/thinking|>"))
    return `Answer from ${prefill.trim().split("\n").at(-2)!.replace("- ", "")}`;
  return "- Graphene conducts electrons well.\n<|/thinking|>\nIgnored.";
};

function hits(texts: string[]): SearchHit[] {
  return texts.map((text, i) => ({
    chunkId: newId<ChunkId>(),
    documentId: newId<DocumentId>(),
    path: "paper.pdf",
    title: "A paper",
    page: i + 1,
    start: 0,
    end: text.length,
    text,
    score: 1,
    ranks: { vector: i + 1, text: null },
  }));
}

function openEngine(
  runner: ModelRunner,
  options: {
    facts?: string[];
    nParameters?: number;
    promptsDir?: string;
    reviseByLines?: Reviser;
    /** Of the adapter. */
    markers?: MarkerSet;
  } = {},
) {
  let queue: JobQueue | undefined;
  const model = (name: string) => ({
    name,
    path: `/models/${name}.gguf`,
    sha256: "a".repeat(64),
    facts: { nParameters: options.nParameters ?? 1.3e8 },
    markers: null,
  });
  const emit: Emit = (name, payload) => void events.push({ name, payload });
  const reflection = createReflection({
    db,
    runner,
    embedder: createFakeEmbedder(),
    corpus: { search: () => ({ hits: hits(options.facts ?? FACTS), tookMs: 1, warning: null }) },
    models: {
      resolveModel: model,
      resolveAdapter: (name) => ({ ...model(name), sha256: "b".repeat(64), markers: options.markers ?? null }),
    },
    reviseByLines: options.reviseByLines ?? reviseByLines,
    promptsDir: options.promptsDir ?? promptsDir,
    clock: Date.now,
    log: createSilentLogger(),
    emit,
    enqueue: (request) => queue!.enqueue(request),
  });
  queue = createJobQueue({
    store: createJobStore(db, Date.now),
    definitions: reflection.jobs,
    log: createSilentLogger(),
    onChange: () => {},
  });
  queue.open();
  return { reflection, queue };
}

const input = { question: QUESTION, model: "tiny", iterations: 2, retrieve: true, seed: 11 };

async function finish(
  engine: { reflection: Reflection; queue: JobQueue },
  given: Partial<typeof input> & { integrate?: boolean; adapter?: string; promptSet?: string } = {},
) {
  const { reflectionId, jobId } = await engine.reflection.api.start({ ...input, ...given });
  await engine.queue.wait(jobId).catch(() => {});
  return engine.reflection.api.get(reflectionId);
}

test("a policy thinks between the markers that its adapter was trained with, and its own thinking is no answer", async () => {
  const markers = { ...DEFAULT_MARKERS, thinkingOpen: "<analysis>", thinkingClose: "</analysis>" };
  const runner = createScriptedReflector((request, nth) => {
    const { prefill = "" } = request;
    if (prefill.trimEnd().endsWith(markers.thinkingClose)) return "<think>hm, hm</think> Graphene does.";
    const text = wellBehaved(request, nth) as string; // it never waits
    return text.replace(DEFAULT_MARKERS.thinkingClose, markers.thinkingClose);
  });
  const detail = await finish(openEngine(runner, { markers }), { adapter: "trained", iterations: 1 });
  const [draft] = detail.iterations;
  expect(draft!.thinking).toBe("Reasoning Steps:\n- Graphene conducts electrons well.");
  expect(draft!.answer).toBe("Graphene does.");
  expect(draft!.problems).toEqual(["own_thinking_removed"]);
  expect(runner.requests.some(({ prefill }) => prefill?.startsWith("<analysis>"))).toBe(true);
  expect(JSON.stringify(runner.requests)).not.toContain(DEFAULT_MARKERS.thinkingOpen);
});

describe("a reflection with a tiny critic", () => {
  test("drafts, then adds a fact per point to the thinking and answers from it", async () => {
    const detail = await finish(openEngine(createScriptedReflector(wellBehaved)));
    expect(detail.status).toBe("succeeded");
    expect(detail.stopReason).toBe("n_reached");
    expect(detail.iterations.map(({ index }) => index)).toEqual([0, 1, 2]);
    const [draft, first, second] = detail.iterations;
    expect(draft!.thinking).toBe("Reasoning Steps:\n- Graphene conducts electrons well.");
    expect(draft!.critique).toEqual([]);
    expect(first!.critique).toHaveLength(2);
    for (const { point, actedOn, changedSentences } of first!.critique) {
      expect(point).toMatch(/^The thinking leaves out that /);
      expect(actedOn).toBe(true);
      expect(changedSentences.length).toBeGreaterThan(0);
    }
    expect(first!.improvedThinking).toBe(first!.thinking);
    expect(first!.thinking.split("\n")).toHaveLength(4);
    expect(second!.thinking.startsWith(first!.thinking)).toBe(true);
    expect(new Set([...first!.critique, ...second!.critique].map(({ point }) => point)).size).toBe(4);
    expect(first!.metrics.changedShare).toBeGreaterThan(0);
    expect(detail.final).toBe(second!.answer);
    expect(detail.sources).toHaveLength(4);
  });

  test("keeps every call so that it can be made again", async () => {
    const runner = createScriptedReflector(wellBehaved);
    const engine = openEngine(runner);
    const detail = await finish(engine, { integrate: true, adapter: "tuned" });
    const calls = engine.reflection.api.calls(detail.id).flat();
    const integration = (detail.settings as { integrationCalls: typeof calls }).integrationCalls;
    expect(
      [...calls, ...integration].map(({ messages, prefill, sampler }) => ({ messages, prefill, sampler })),
    ).toEqual(
      runner.requests.map(({ messages, prefill, sampler }) => ({ messages, prefill: prefill ?? null, sampler })),
    );
    expect(new Set(calls.map(({ sampler }) => sampler.seed)).size).toBe(calls.length);
    expect(detail.integrated).toBe("Graphene wires the particles, and small particles keep the way short.");
    expect(runner.requests.filter(({ adapterPath }) => adapterPath !== null).length).toBe(4);
    expect(detail.settings).toMatchObject({
      seed: 11,
      runner: { threads: 1 },
      policy: { adapter: { name: "tuned" } },
      critic: { adapter: null },
    });
  });

  test("streams each answer as it is written, in batches", async () => {
    const detail = await finish(openEngine(createScriptedReflector(wellBehaved)), { iterations: 1 });
    const texts = events
      .filter(({ name }) => name === "reflection.text")
      .map(({ payload }) => payload as { index: number; part: string; text: string });
    const written = (index: number, part: string) =>
      texts
        .filter((event) => event.index === index && event.part === part)
        .map(({ text }) => text)
        .join("");
    expect(written(1, "answer")).toBe(detail.iterations[1]!.answer);
    expect(written(1, "improvedThinking")).toBe(detail.iterations[1]!.improvedThinking);
    expect(texts.length).toBeLessThan(10);
  });

  test("quotes the fact and says so when no wording is faithful", async () => {
    const unfaithful: Reply = (request, nth) =>
      request.messages.at(-1)!.content.startsWith("Fact:")
        ? " the LiCoPO9 cell explodes at 900 K."
        : wellBehaved(request, nth);
    const engine = openEngine(createScriptedReflector(unfaithful));
    const detail = await finish(engine, { iterations: 1 });
    expect(detail.iterations[1]!.critique[0]!.point).toMatch(/^The thinking leaves this out: /);
    expect(detail.iterations[1]!.problems).toContain("critique_quotes_its_source");
    const tries = engine.reflection.api.calls(detail.id)[1]!.filter(({ task }) => task === "critique");
    expect(tries.filter(({ rejectedBecause }) => rejectedBecause !== null)).toHaveLength(tries.length);
    expect(tries.length).toBe(6);
  });

  test("takes out what the thinking says twice and names it", async () => {
    const looping: Reply = (request, nth) =>
      request.prefill?.endsWith("Reasoning Steps:\n")
        ? "- Graphene conducts.\n- Graphene conducts.\n<|/thinking|>"
        : wellBehaved(request, nth);
    const detail = await finish(openEngine(createScriptedReflector(looping)), { iterations: 1 });
    expect(detail.iterations[1]!.critique[0]!.point).toBe("The thinking says this more than once: Graphene conducts.");
    expect(detail.iterations[1]!.thinking.match(/Graphene conducts\./g)).toHaveLength(1);
  });

  test("draws on what the critic knows when nothing is retrieved", async () => {
    const knowing: Reply = (request, nth) =>
      request.messages.at(-1)!.content.includes("six short sentences")
        ? FACTS.slice(0, 2).join(" ")
        : wellBehaved(request, nth);
    const detail = await finish(openEngine(createScriptedReflector(knowing)), { retrieve: false, iterations: 1 });
    expect(detail.sources).toEqual([]);
    expect(detail.iterations[1]!.thinking).toContain(FACTS[0]);
  });

  test("converges when the critic finds nothing that is left out", async () => {
    const detail = await finish(openEngine(createScriptedReflector(wellBehaved), { facts: FACTS.slice(0, 1) }), {
      iterations: 5,
    });
    expect(detail).toMatchObject({ status: "succeeded", stopReason: "converged" });
    expect(detail.iterations).toHaveLength(2);
  });

  test("stops at a degraded answer and keeps the one before as the final one", async () => {
    const collapsing: Reply = (request, nth) =>
      (request.prefill ?? "").split("\n- ").length > 2 && request.prefill!.trimEnd().endsWith("<|/thinking|>")
        ? "so so so so so so so so so so so so so so so so."
        : wellBehaved(request, nth);
    const detail = await finish(openEngine(createScriptedReflector(collapsing)), { iterations: 4 });
    expect(detail.stopReason).toBe("degraded");
    expect(detail.iterations).toHaveLength(2);
    expect(detail.final).toBe(detail.iterations[0]!.answer);
  });

  test("names an unclosed thinking, and an answer that no try could write", async () => {
    const mute: Reply = ({ prefill = "" }) =>
      prefill.endsWith("Reasoning Steps:\n") ? "- Graphene conducts electrons." : "\n";
    const detail = await finish(openEngine(createScriptedReflector(mute)), { iterations: 0 });
    expect(detail.iterations[0]!.problems).toEqual(expect.arrayContaining(["thinking_unclosed", "answer_missing"]));
  });
});

describe("a reflection that is interrupted", () => {
  /** Holds the nth call until its signal aborts. */
  const holdAt = (nth: number, held: () => void): ModelRunner => {
    const runner = createScriptedReflector(wellBehaved);
    return {
      ...runner,
      async generate(request: GenerateRequest, onText, signal) {
        if (runner.requests.length === nth) {
          held();
          await new Promise<never>((_, reject) =>
            signal!.addEventListener("abort", () => reject(signal!.reason as Error), { once: true }),
          );
        }
        return runner.generate(request, onText, signal);
      },
    };
  };
  const plain = <T extends { tookMs: number }>(rows: T[]) => rows.map((row) => ({ ...row, tookMs: 0 }));

  test("goes on after the last whole iteration and ends as if nothing had happened", async () => {
    const whole = await finish(openEngine(createScriptedReflector(wellBehaved)));
    for (const nth of [1, 4, 6, 9, 10]) {
      const reached = Promise.withResolvers<void>();
      const broken = openEngine(holdAt(nth, reached.resolve));
      const { reflectionId, jobId } = await broken.reflection.api.start(input);
      await reached.promise;
      await broken.queue.close();
      const nBefore = broken.reflection.api.get(reflectionId).nFinished;
      expect(broken.reflection.api.get(reflectionId).status).toBe("running");
      const runner = createScriptedReflector(wellBehaved);
      const again = openEngine(runner);
      await again.queue.wait(jobId);
      await again.queue.close();
      const detail = again.reflection.api.get(reflectionId);
      expect(detail.status).toBe("succeeded");
      expect(plain(detail.iterations)).toEqual(plain(whole.iterations));
      if (nBefore > 0)
        expect(runner.requests.some(({ prefill }) => prefill?.endsWith("Reasoning Steps:\n"))).toBe(false);
    }
  });

  test("goes on when the process died without a word", async () => {
    const reached = Promise.withResolvers<void>();
    const lost = openEngine(holdAt(4, reached.resolve));
    const { reflectionId, jobId } = await lost.reflection.api.start(input);
    await reached.promise;
    // a second engine over the same rows: the job is still `running`, as after a kill -9
    const again = openEngine(createScriptedReflector(wellBehaved));
    await again.queue.wait(jobId);
    expect(again.reflection.api.get(reflectionId).iterations).toHaveLength(3);
    expect(again.queue.get(jobId).events.some(({ kind }) => kind === "interrupted")).toBe(true);
  });

  test("keeps finished iterations when it is cancelled", async () => {
    const reached = Promise.withResolvers<void>();
    const engine = openEngine(holdAt(5, reached.resolve));
    const { reflectionId, jobId } = await engine.reflection.api.start(input);
    await reached.promise;
    engine.queue.cancel(jobId);
    await expect(engine.queue.wait(jobId)).rejects.toMatchObject({ code: "CANCELLED" });
    const detail = engine.reflection.api.get(reflectionId);
    expect(detail).toMatchObject({ status: "cancelled", nFinished: 1, stopReason: null });
    expect(detail.final).toBe(detail.iterations[0]!.answer);
  });

  test("is failed when the model fails, and a retry finishes it", async () => {
    let isBroken = true;
    const flaky: Reply = (request, nth) => {
      if (isBroken && request.messages.at(-1)!.content.startsWith("Fact:")) throw new Error("the host is gone");
      return wellBehaved(request, nth);
    };
    const engine = openEngine(createScriptedReflector(flaky));
    const failed = await finish(engine);
    expect(failed).toMatchObject({ status: "failed", nFinished: 1 });
    isBroken = false;
    await engine.queue.wait(engine.queue.retry(failed.jobId!));
    expect(engine.reflection.api.get(failed.id)).toMatchObject({ status: "succeeded", nFinished: 3 });
  });

  test("counts as cancelled when its job was cancelled before it ran", async () => {
    const reached = Promise.withResolvers<void>();
    const engine = openEngine(holdAt(0, reached.resolve));
    await engine.reflection.api.start(input);
    const waiting = await engine.reflection.api.start(input);
    engine.queue.cancel(waiting.jobId);
    expect(engine.reflection.api.get(waiting.reflectionId).status).toBe("cancelled");
    expect(engine.reflection.handlers.list({}, new AbortController().signal)).toHaveLength(2);
    await engine.queue.close();
  });
});

describe("a reflection with a critic that fills schemas", () => {
  const improved = {
    sections: [
      {
        name: "Reasoning Steps",
        statements: ["Graphene conducts electrons well.", "2. Small particles shorten the diffusion path."],
      },
    ],
  };
  const standard: Reply = ({ jsonSchema, prefill = "" }) => {
    const properties = (jsonSchema?.properties ?? {}) as Record<string, unknown>;
    if (properties.points)
      return JSON.stringify({ points: ["Say that small particles shorten the diffusion path.", " "] });
    if (properties.sections) return JSON.stringify(improved);
    if (prefill.trimEnd().endsWith("<|/thinking|>"))
      return `<|reflect|>\nIs it the particle size?\n<|/reflect|>\nFrom ${prefill.length} characters.`;
    return "Reasoning Steps:\n- Graphene conducts electrons well.\n<|/thinking|>";
  };

  test("rewrites the thinking by the points and reads the policy's own reflection", async () => {
    const detail = await finish(
      openEngine(createScriptedReflector(standard), {
        nParameters: 3e9,
        promptsDir: grammarPrompts(),
        reviseByLines: () => Promise.reject(new Error("code for small models ran")),
      }),
      { iterations: 1 },
    );
    expect(detail.status).toBe("succeeded");
    const [draft, first] = detail.iterations;
    expect(draft!.reflection).toBe("Is it the particle size?");
    expect(first!.critique).toEqual([
      {
        ordinal: 0,
        point: "Say that small particles shorten the diffusion path.",
        actedOn: true,
        changedSentences: [2],
      },
    ]);
    expect(first!.thinking).toBe(
      "Reasoning Steps:\n- Graphene conducts electrons well.\n- Small particles shorten the diffusion path.",
    );
    const critique = (detail.settings as { critic: { promptSet: string } }).critic;
    expect(critique.promptSet).toBe("standard");
  });

  test("is asked with the prompts that are named, whatever its size; a set that does not exist is refused at once", async () => {
    const engine = openEngine(createScriptedReflector(standard), { promptsDir: grammarPrompts() });
    const detail = await finish(engine, { iterations: 1, promptSet: "standard" });
    expect(detail.settings).toMatchObject({ policy: { promptSet: "standard" }, critic: { promptSet: "standard" } });
    expect(detail.iterations[1]!.critique).toHaveLength(1);
    await expect(finish(engine, { promptSet: "grand" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      hint: "Choose one of: standard, tiny.",
    });
  });

  test("fails with the finished iterations kept when the JSON never comes to an end", async () => {
    const endless: Reply = (request, nth) => (request.jsonSchema ? '{"points": ["Say' : standard(request, nth));
    const engine = openEngine(createScriptedReflector(endless), { nParameters: 3e9, promptsDir: grammarPrompts() });
    const detail = await finish(engine);
    expect(detail).toMatchObject({ status: "failed", nFinished: 1 });
    expect(engine.queue.get(detail.jobId!).error).toMatchObject({ code: "GENERATION_FAILED" });
  });

  /** The standard set, told to fill schemas whatever else becomes of it. */
  function grammarPrompts(): string {
    const copy = join(dir, "prompts");
    cpSync(promptsDir, copy, { recursive: true });
    writeFileSync(join(copy, "standard", "set.yaml"), "style: grammar\n");
    return copy;
  }
});
