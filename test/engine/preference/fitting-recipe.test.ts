import { expect, test } from "vitest";
import type { JobId } from "../../../main/shared/ids.ts";
import { openWorkspace } from "./support.ts";

/** Pairs and reflections go by one rule: a model of unknown size is asked as an able one by both. */
test.each([
  [135e6, "tiny"],
  [3e9, "standard"],
  [null, "standard"],
])(
  "pairs of a model of %s parameters without a recipe are made with the %s prompts",
  async (nParameters, promptSet) => {
    const workspace = openWorkspace(undefined, undefined, { nParameters });
    try {
      const input = { count: 1, seed: 1, policy: "given" };
      const { jobId } = await workspace.preference.handlers.generate(input, new AbortController().signal);
      await workspace.jobs.wait(jobId as JobId).catch(() => {});
      const [row] = workspace.db.prepare<[], { recipe: string }>("SELECT recipe FROM experiment").all();
      expect(JSON.parse(row!.recipe)).toMatchObject({ promptSet });
    } finally {
      await workspace.close();
      workspace.remove();
    }
  },
);
