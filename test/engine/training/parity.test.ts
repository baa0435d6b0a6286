import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TrainingDeps } from "../../../main/engine/training/deps.ts";
import { cardPathOf } from "../../../main/engine/models/index.ts";
import { verifyAdapter } from "../../../main/engine/training/parity.ts";
import { encodeProbes, readProbes } from "../../../main/engine/training/probe-scores.ts";
import { REPOSITORY_DIR } from "../../harness/corpus-bench.ts";
import { createScriptedRunner } from "../../harness/scripted-runner.ts";

const resourcesDir = join(REPOSITORY_DIR, "resources");
const MODEL = { name: "m", path: "/m.gguf", sha256: "a".repeat(64), facts: { nParameters: 1e6 } };

let dir: string;
let adapterPath: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-parity-"));
  adapterPath = join(dir, "a.gguf");
  writeFileSync(adapterPath, "the adapter's bytes");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** What the base model says of a token, and by how much the whole adapter changes that: made up, but fixed. */
const baseOf = (id: number, at: number) => -1 - ((id * 7 + at) % 11) / 10;
const changeOf = (id: number, at: number) => (((id * 13 + at * 5) % 17) - 8) / 40;

/** A llama.cpp in which the adapter does a share of what was trained; the trainer's numbers come from the card. */
function depsWith(share: number): TrainingDeps {
  const runner = createScriptedRunner(() => "A short answer.");
  runner.logProbs = async ({ adapterPath: adapter, sequences }) =>
    sequences.map(({ ids, from, positions }) =>
      (positions ?? ids.map((_, i) => i).slice(from)).map(
        (at) => baseOf(ids[at]!, at) + (adapter === null ? 0 : share * changeOf(ids[at]!, at)),
      ),
    );
  const models = { resolveModel: async () => MODEL };
  // the devices are asked only for an adapter without a card
  return { runner, models, resourcesDir, clock: () => 5 } as unknown as TrainingDeps;
}

async function writeCardFor(deps: TrainingDeps, facts: { sha256?: string; modelSha256?: string } = {}) {
  const encoded = await encodeProbes(deps, MODEL.path, readProbes(resourcesDir));
  const probe = encoded.map(({ id, prompt, chosen, rejected }) => {
    const logps = (response: number[], change: number) =>
      response.map((token, i) => baseOf(token, prompt.length + i) + change * changeOf(token, prompt.length + i));
    return {
      id,
      chosenLogps: logps(chosen, 1),
      rejectedLogps: logps(rejected, 1),
      baseChosenLogps: logps(chosen, 0),
      baseRejectedLogps: logps(rejected, 0),
    };
  });
  const sha256 = facts.sha256 ?? createHash("sha256").update("the adapter's bytes").digest("hex");
  const model = { name: "m", sha256: facts.modelSha256 ?? MODEL.sha256 };
  const card = { sha256, runId: "r", stage: "orpo", round: 0, model, config: {}, probe };
  writeFileSync(cardPathOf(adapterPath), JSON.stringify(card));
}

async function verdictWith(share: number, facts?: Parameters<typeof writeCardFor>[1]) {
  const deps = depsWith(share);
  await writeCardFor(deps, facts);
  return (await verifyAdapter(deps, { adapterPath, model: "m" })).report;
}

test("an adapter that does all that was trained passes, and its numbers are those of the tokens compared", async () => {
  const report = await verdictWith(1);
  expect(report).toMatchObject({ verdict: "passed", reasons: [], endsWithEndOfTurn: true, checkedAt: 5 });
  expect(report.measurements).toMatchObject([{ weights: "as_is", noise: 0 }]);
  expect(report.measurements[0]!.share).toBeCloseTo(1, 6);
  expect(report.rows.length).toBe(2 * readProbes(resourcesDir).length);
});

test.each([0, 0.5, 0.9, 1.2, -1])("one that does %d of it fails, and says how much is seen", async (share) => {
  const { verdict, reasons, endsWithEndOfTurn } = await verdictWith(share);
  expect(verdict).toBe("failed");
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toMatch(share === 0 ? /no log-prob changes at all/ : /of the change that was trained/);
  // nothing is generated with a file that does not do what was trained
  expect(endsWithEndOfTurn).toBeNull();
});

test("a file that is not the card's, and another model than the card's, fail however well they agree", async () => {
  expect(await verdictWith(1, { sha256: "b".repeat(64) })).toMatchObject({
    verdict: "failed",
    reasons: [expect.stringContaining("not the one that the trainer wrote")],
  });
  expect(await verdictWith(1, { modelSha256: "c".repeat(64) })).toMatchObject({
    verdict: "failed",
    reasons: [expect.stringContaining("trained on another model file")],
  });
});

test("a card that cannot be read is the adapter's fault and no crash of the check", async () => {
  writeFileSync(cardPathOf(adapterPath), "{");
  const { report } = await verifyAdapter(depsWith(1), { adapterPath, model: "m" });
  expect(report).toMatchObject({ verdict: "failed", reasons: [expect.stringContaining("card")], rows: [] });
});
