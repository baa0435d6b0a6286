import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  LOSS_SETTINGS,
  lossLabel,
  LOSSES,
  LossName,
  lossProblems,
  needsReference,
  stageTitle,
} from "../../main/shared/loss.ts";

const trainerDir = join(import.meta.dirname, "../../native-trainer/src/losses");
const sourceOf = (name: string) => readFileSync(join(trainerDir, `${name}.cpp`), "utf8");

describe("the table says what the trainer's own says", () => {
  test("every loss of the trainer is in it", () => {
    const specs = readdirSync(trainerDir).filter(
      (file) => file.endsWith(".cpp") && readFileSync(join(trainerDir, file), "utf8").includes("needs_reference ="),
    );
    expect(specs.map((file) => file.slice(0, -4)).toSorted()).toEqual(LossName.options.toSorted());
  });

  test.each(LossName.options)("%s", (name) => {
    const source = sourceOf(name);
    expect(source).toContain(`/*needs_reference =*/ ${LOSSES[name].needsReference}`);
    const { settings, optional = [] } = LOSSES[name] as { settings: readonly string[]; optional?: readonly string[] };
    for (const key of [...settings, ...optional])
      expect(source).toContain(key === "beta" ? "beta_setting(" : `{"${key}", `);
    const unknown = [...source.matchAll(/\{"(\w+)", &loss_settings/g)].map(([, key]) => key!);
    expect(LOSS_SETTINGS).toEqual(expect.arrayContaining(unknown));
  });
});

test("a loss must have its settings, and no others", () => {
  expect(lossProblems("exo", { beta: 0.1, label_smoothing: 5e-3 })).toEqual([]);
  expect(lossProblems("exo", { beta: 0.1 })).toEqual(["EXO needs label_smoothing"]);
  expect(lossProblems("dpo", { beta: 0.1, gamma: 1 })).toEqual(["gamma is no setting of DPO"]);
  expect(lossProblems("sft", { completion_only_loss: true })).toEqual([]);
  const sum = [
    { name: "dpo" as const, weight: 1, beta: 0.1 },
    { name: "simpo" as const, weight: 0.5, beta: 2 },
  ];
  expect(lossProblems(sum, { beta: 0.1 })).toEqual([
    "beta stands beside a sum of losses: write it into the loss that it belongs to",
    "SIMPO needs gamma",
  ]);
});

test("a sum is named by its parts and needs a reference when one of them does", () => {
  const sum = [
    { name: "sft" as const, weight: 0.2 },
    { name: "ipo" as const, weight: 1, beta: 0.1 },
  ];
  expect(lossLabel(sum)).toBe("0.2 sft + ipo");
  expect([needsReference(sum), needsReference("orpo"), needsReference([sum[0]!])]).toEqual([true, false, false]);
});

test("a stage that is called after its loss is not named twice", () => {
  expect(stageTitle({ stage: "orpo", loss: "orpo" })).toBe("ORPO");
  expect(stageTitle({ stage: "half", loss: "dpo + 0.2 sft" })).toBe("half (DPO + 0.2 SFT)");
});
