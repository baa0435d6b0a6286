import { expect, test } from "vitest";
import { reflectionSection } from "../../main/cli/report/reflection-section.ts";
import { measureIteration } from "../../main/engine/reflection/metrics.ts";
import { changedShare, countChanges } from "../../main/shared/change-counts.ts";
import type { Iteration, ReflectionDetail } from "../../main/shared/contract/reflection.ts";
import { diffRows } from "../../renderer/lib/diff-rows.ts";
import { partOf } from "../../renderer/lib/iteration-text.ts";

const draft = {
  thinking:
    "Reasoning Steps:\n- Graphene conducts electrons.\n- Ions move slowly in large particles.\n- The density falls with porosity.",
  answer: "Graphene helps. Small particles help as well.",
};
const revised = {
  thinking:
    "Reasoning Steps:\n- The density falls with porosity.\n- Graphene conducts electrons.\n- Ions move slowly in large, dense particles.\n- Heating removes the solvent.",
  answer: "Graphene helps because it conducts electrons. Small particles help as well.",
};

test("the engine's metric, the window's comparison and the report give one number for one revision", async () => {
  const metrics = await measureIteration(revised, draft, async () => () => null);
  const iterations = [draft, revised].map((texts, index) => iterationOf(index, texts));

  // the window counts the rows that it shows, part by part
  const shown = (["thinking", "answer"] as const).map((part) =>
    countChanges(diffRows(partOf(iterations[0]!, part), partOf(iterations[1]!, part))),
  );
  expect(shown).toEqual([
    { same: 2, changed: 1, added: 1, removed: 0, moved: 1 },
    { same: 1, changed: 1, added: 0, removed: 0, moved: 0 },
  ]);
  // 4 of the 7 sentences of both parts are not as they were
  expect(metrics.changedShare).toBeCloseTo(4 / 7, 10);
  expect(changedShare({ same: 3, changed: 2, added: 1, removed: 0, moved: 1 })).toBe(metrics.changedShare);

  const { markup } = reflectionSection({
    question: "Why?",
    iterations,
    sources: [],
  } as unknown as ReflectionDetail); // what the section reads
  expect(markup).toContain("57 % of the sentences changed (2 changed · 1 added · 1 moved · 3 unchanged)");
  expect(markup.match(/moved<\/span>/g)).toHaveLength(2);
  expect(markup).toContain("Graphene helps<ins> because it conducts electrons</ins>.");
});

function iterationOf(index: number, { thinking, answer }: typeof draft): Iteration {
  const metrics = {
    thinkingSimilarity: null,
    answerSimilarity: null,
    changedShare: null,
    nThinkingWords: 0,
    nAnswerWords: 0,
    repetition: 0,
  };
  const nothing = { reflection: "", critique: [], improvedThinking: null, problems: [], tokens: 0, tookMs: 0 };
  return { index, thinking, answer, metrics, ...nothing };
}
