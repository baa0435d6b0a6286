import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { PairRow, Statement } from "../../../main/shared/contract/preference.ts";
import { splitSentences } from "../../../main/shared/sentences.ts";
import { countChips } from "../../harness/count-chips.ts";
import type { Script } from "../../harness/scripted-runner.ts";
import { createTestEngine, TINY_MODEL, type TestEngine } from "../../harness/test-engine.ts";

/** The papers that come with the program, read from their PDFs by the real reader. */
let engine: TestEngine;
const open = async (script: Script) => {
  engine = await createTestEngine({ script });
  await engine.finish(await engine.client.corpus.importSample({}));
};
const generate = async (input: { count: number; recipe: string; seed: number }) => {
  const settings = { ...input, teacher: TINY_MODEL, policy: TINY_MODEL };
  // a script is no good writer: many attempts end at a filter, and what they thought counts all the same
  await engine.finish(await engine.client.preference.generate(settings)).catch(() => {});
  return (await engine.client.preference.list({ limit: 500 })).rows;
};

afterEach(async () => {
  await engine.close();
  engine.remove();
});

const INVENTED = "If the sheets were folded twice, then the kettle would whistle in another key.";

test("where code picked the sentence: every chip of the sample corpus leads to it, word for word", async () => {
  await open(tinyTeacher);
  const rows = await generate({ count: 8, recipe: "demo", seed: 5 });
  expectTrueChips();
  const retrieved = rows.flatMap((row) => spansOf(row).filter(({ chunkId }) => chunkId !== row.sources[0]!.chunkId));
  // what used to be wrong: statements from other chunks than the pair's own
  expect(retrieved.length).toBeGreaterThan(10);
  for (const statement of rows.flatMap(statementsOf).filter(({ text }) => text === INVENTED))
    expect(statement.spans).toEqual([]);
  await expectTrueEvidence();
}, 120_000);

test("where a model wrote: its sentences are found in the context, its inferences have no page", async () => {
  await open(capableTeacher);
  const rows = await generate({ count: 8, recipe: "workstation", seed: 5 });
  expectTrueChips();
  const statements = rows.flatMap(statementsOf);
  const inferred = statements.filter(({ text }) => text === INVENTED);
  expect(inferred.length).toBeGreaterThan(3);
  for (const { spans } of inferred) expect(spans).toEqual([]);
  // every other statement is a sentence of the papers, shortened
  const copied = statements.filter(({ text }) => text !== INVENTED);
  const located = copied.filter(({ spans }) => spans!.length > 0);
  expect(located.length / copied.length).toBeGreaterThan(0.9);
  for (const { text, spans } of located) expect(oneLine(spans![0]!.quote)).toContain(text.slice(0, -1));
  await expectTrueEvidence();
}, 120_000);

function expectTrueChips(): void {
  const { nChips, wrong } = countChips(join(engine.dir, "workspace"));
  expect(wrong).toEqual([]);
  expect(nChips).toBeGreaterThanOrEqual(50);
}

/** The same through the contract: what the window asks for and shows. */
async function expectTrueEvidence(): Promise<void> {
  const { concepts } = await engine.client.graph.get({});
  let nQuoted = 0;
  for (const { id } of concepts) {
    for (const row of await engine.client.graph.evidence({ conceptId: id })) {
      if (row.basis !== "papers") {
        expect([row.page, row.documentId, row.quote]).toEqual([null, null, null]);
        continue;
      }
      const { text } = await engine.client.corpus.getPage({ documentId: row.documentId!, page: row.page! });
      expect(text.slice(row.start!, row.end!)).toBe(row.quote);
      nQuoted++;
    }
  }
  expect(nQuoted).toBeGreaterThan(10);
}

const statementsOf = (row: PairRow): Statement[] => row.thinking.flatMap(({ statements }) => statements);
const spansOf = (row: PairRow) => statementsOf(row).flatMap(({ spans }) => spans ?? []);
const oneLine = (text: string) => text.replaceAll(/\s+/g, " ");

/** Sentences of a prompt that a question or an answer can be made of. */
function proseOf(text: string): string[] {
  return splitSentences(text)
    .map((sentence) => oneLine(sentence.text))
    .filter((sentence) => /^\p{Lu}[\p{L} ,-]{40,150}\.$/u.test(sentence));
}

const askAbout = (sentence: string | undefined) =>
  `Why is it that ${(sentence ?? "Nothing is said").replace(/^\p{Lu}/u, (letter) => letter.toLowerCase()).slice(0, -1)}?`;

/** Single lines, each made of what the prompt shows. */
const tinyTeacher: Script = ({ messages, prefill }, nth) => {
  const prompt = messages.at(-1)!.content;
  if (prefill === "Question:") {
    const sentences = proseOf(prompt.replace(/^Text: /, ""));
    return ` ${askAbout(sentences[nth % Math.max(1, sentences.length)])}`;
  }
  if (prefill === "Fact:") return ` ${/Sentence: (.*)/.exec(prompt)![1]!}`;
  if (prefill === "If") return INVENTED.replace("If", "");
  if (prefill === "Answer:") {
    const facts = [...prompt.matchAll(/^- (.*)$/gm)].map(([, fact]) => fact!);
    return ` ${facts.slice(0, 2).join(" ")}`;
  }
  return prefill === undefined ? "Many factors matter here, and in general it depends on the conditions." : "";
};

/** JSON by schema: sentences of all its sources, cut at the first comma, and one that no source has. */
const capableTeacher: Script = ({ messages, jsonSchema }, nth) => {
  const prompt = messages.at(-1)!.content;
  const names = Object.keys(jsonSchema?.["properties"] ?? {});
  const [, shown = ""] = /^(?:Passage|Sources):\n([\s\S]*?)\n\n(?:You set|Question:|Notes:)/.exec(prompt) ?? [];
  const sentences = proseOf(shown);
  if (names.includes("question"))
    return JSON.stringify({ question: askAbout(sentences[nth % Math.max(1, sentences.length)]) });
  const shortened = sentences
    .map((sentence) => `${sentence.slice(0, -1).split(",")[0]!}.`)
    .filter((sentence) => sentence.length > 40);
  if (names.length > 0) {
    const section = (name: string, i: number) => [name, name === "Hypothesis" ? [INVENTED] : everyNth(shortened, i)];
    return JSON.stringify(Object.fromEntries(names.map(section)));
  }
  return /Notes:/.test(prompt) ? shortened.slice(0, 3).join(" ") : "Many factors matter here, and it depends.";
};

/** Others for each section, from the whole of the sources. */
const everyNth = (sentences: string[], first: number) => sentences.filter((_, i) => i % 6 === first).slice(0, 4);
