import { afterEach, beforeEach, expect, test } from "vitest";
import type { GenerateOutput } from "../../../main/engine/preference/index.ts";
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

let workspace: ReturnType<typeof openWorkspace>;
beforeEach(() => void (workspace = openWorkspace(standardScript())));
afterEach(async () => {
  await workspace.close();
  workspace.remove();
});

test("a larger model fills the recipe's sections in one call, and the same checks stand behind it", async () => {
  const { handlers } = workspace.preference;
  const input = { count: 1, seed: 2, recipe: "workstation" };
  const { jobId } = await handlers.generate(input, new AbortController().signal);
  const { rows } = (await workspace.jobs.wait(jobId as JobId)).output as GenerateOutput;
  expect(rows[0]!.question).toBe(QUESTION);
  const thinking = Object.fromEntries(rows[0]!.thinking.map(({ name, statements }) => [name, statements]));
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
