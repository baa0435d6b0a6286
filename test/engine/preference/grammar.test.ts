import { afterEach, beforeEach, expect, test } from "vitest";
import type { PairWriter } from "../../../main/engine/preference/index.ts";
import { outputOf } from "../../../main/shared/contract/job-types.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import type { Script } from "../../harness/scripted-runner.ts";
import { openWorkspace } from "./support.ts";

const QUESTION = "How do graphene sheets around the particles improve the conductivity of the cathode?";
const SECTIONS = {
  "Reasoning Steps": ["Graphene sheets wrap the particles.", "Small particles shorten the path of lithium ions."],
  "Relevant Materials or Concepts": ["Graphene", "Cathode particles"],
  "Design Principles": ["Wrap particles in a conductor.", "Wrap particles in a conductor!", "Use 42 sheets of it."],
  "Material Properties": [],
  Hypothesis: ["Thinner sheets would carry electrons as well."],
  "Additional Background": ["The paper says that graphene is thin."],
};
const ANSWER =
  "Graphene sheets wrap the particles of the cathode and carry electrons between them. Because small particles also shorten the path of lithium ions, both charge carriers reach the particles faster, and the rate capability of the cathode rises.";

/** A model of some size: JSON where a schema is asked for, prose elsewhere. The first thinking is cut in the middle. */
function standardScript(): Script {
  let nThinking = 0;
  return ({ jsonSchema, messages }) => {
    const properties = Object.keys(jsonSchema?.["properties"] ?? {});
    if (properties.includes("question")) return JSON.stringify({ question: QUESTION });
    if (properties.length > 0) {
      const text = JSON.stringify(SECTIONS);
      return nThinking++ === 0 ? { text: text.slice(0, 80), stopReason: "max_tokens" } : text;
    }
    return /Notes:/.test(messages[0]!.content)
      ? ANSWER
      : "It depends on many things, and in general more of it is better.";
  };
}

/** In place of small-models: whoever calls it with a capable teacher is wrong. */
const forbidden = () => {
  throw new Error("code for small models ran");
};
const noSmallModels: PairWriter = {
  name: "lines",
  passageOf: forbidden,
  readQuestion: forbidden,
  writeThinking: forbidden,
  tidyAnswer: forbidden,
};

const openCapable = (passages?: string[]) =>
  openWorkspace(standardScript(), undefined, {
    linesWriter: noSmallModels,
    ...(passages ? { passages } : {}),
  });

let workspace: ReturnType<typeof openWorkspace>;
beforeEach(() => void (workspace = openCapable()));
afterEach(async () => {
  await workspace.close();
  workspace.remove();
});

test("a larger model fills the recipe's sections in one call, and the same checks stand behind it", async () => {
  const { handlers } = workspace.preference;
  const input = { count: 1, seed: 2, recipe: "workstation" };
  const { jobId } = await handlers.generate(input, new AbortController().signal);
  const { rows } = outputOf(await workspace.jobs.wait(jobId as JobId), "preference.generate");
  expect(rows[0]!.question).toBe(QUESTION);
  const thinking = Object.fromEntries(
    rows[0]!.thinking.map(({ name, statements }) => [name, statements.map(({ text }) => text)]),
  );
  expect(thinking).toEqual({
    "Reasoning Steps": SECTIONS["Reasoning Steps"],
    "Relevant Materials or Concepts": SECTIONS["Relevant Materials or Concepts"],
    // without the repeated one, and without a number that no source has
    "Design Principles": ["Wrap particles in a conductor."],
    Hypothesis: SECTIONS.Hypothesis,
  });
  const schema = workspace.runner.requests.findLast(({ messages }) =>
    messages[0]!.content.includes("filling these sections"),
  )!.jsonSchema!;
  expect(schema["required"]).toEqual(Object.keys(SECTIONS));
});

test("a capable teacher reads the chunk as it stands on the page, and nothing of small-models runs", async () => {
  await workspace.close();
  workspace.remove();
  // a heading, a citation, a pointer to a figure, "we", a sentence that leans on another: all of it is for the teacher to judge
  const raw = [
    "2.1 Electrodes\nWe wrapped graphene sheets around the particles of the cathode [12], as Figure 3 shows. This improves its electrical conductivity.",
    "Small particles shorten the path of lithium ions (Liu et al. 2019); we measured them at 0.1 C",
  ];
  workspace = openCapable(raw);
  const input = { count: 1, seed: 2, recipe: "workstation" };
  const { jobId } = await workspace.preference.handlers.generate(input, new AbortController().signal);
  const { rows } = outputOf(await workspace.jobs.wait(jobId as JobId), "preference.generate");
  const shownFor = (word: string) =>
    workspace.runner.requests.find(({ messages }) => messages[0]!.content.includes(word))!.messages[0]!.content;
  const source = raw.find((text) => shownFor("examination").includes(text));
  expect(source).toBeDefined();
  for (const text of raw) expect(shownFor("filling these sections")).toContain(text);
  expect(workspace.preference.api.getPair(rows[0]!.id)!.provenance.writer).toBe("grammar");
});
