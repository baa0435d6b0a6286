import { z } from "zod";

type LossFacts = { needsReference: boolean; settings: readonly LossSetting[]; optional?: readonly LossSetting[] };

/**
 * What the program must know of the trainer's losses (METHOD §4; native-trainer/README.md has the formulas): whether one
 * compares the policy with a frozen reference, and which settings it must and may have. Whoever decides by a loss decides
 * by this table.
 */
export const LOSSES = {
  sft: { needsReference: false, settings: [], optional: ["completion_only_loss"] },
  orpo: { needsReference: false, settings: ["beta"] },
  dpo: { needsReference: true, settings: ["beta"] },
  ipo: { needsReference: true, settings: ["beta"] },
  exo: { needsReference: true, settings: ["beta", "label_smoothing"] },
  robust: { needsReference: true, settings: ["beta", "label_smoothing"] },
  simpo: { needsReference: false, settings: ["beta", "gamma"] },
} as const satisfies Record<string, LossFacts>;

export const LossName = z.enum(Object.keys(LOSSES) as [keyof typeof LOSSES]);
export type LossName = z.infer<typeof LossName>;

/** Under the trainer's own keys. */
const settingValues = {
  beta: z.number().positive().optional(),
  label_smoothing: z.number().positive().max(0.5).optional(),
  gamma: z.number().min(0).optional(),
  /** Of SFT: the chosen response alone, without the prompt. */
  completion_only_loss: z.boolean().optional(),
};
export type LossSetting = keyof typeof settingValues;
export const LossSettings = z.strictObject(settingValues);
export type LossSettings = z.infer<typeof LossSettings>;
export const LOSS_SETTINGS = Object.keys(settingValues) as LossSetting[];

const LossTerm = z.strictObject({ name: LossName, weight: z.number().positive(), ...settingValues });
/** One loss, with its settings beside it, or a weighted sum of losses, each with settings of its own. */
export const Loss = z.union([LossName, z.array(LossTerm).min(1).max(16)]);
export type Loss = z.infer<typeof Loss>;

export function lossNames(loss: Loss): LossName[] {
  return typeof loss === "string" ? [loss] : loss.map(({ name }) => name);
}

export function needsReference(loss: Loss): boolean {
  return lossNames(loss).some((name) => LOSSES[name].needsReference);
}

/** "orpo", or "dpo + 0.2 sft": how rows name a loss and people read it. */
export function lossLabel(loss: Loss): string {
  if (typeof loss === "string") return loss;
  return loss.map(({ name, weight }) => (weight === 1 ? name : `${weight} ${name}`)).join(" + ");
}

/** What is wrong with the settings given to a loss, in words. */
export function lossProblems(loss: Loss, beside: LossSettings): string[] {
  if (typeof loss === "string") return settingProblems(loss, beside);
  const stray = LOSS_SETTINGS.filter((key) => beside[key] !== undefined);
  return [
    ...stray.map((key) => `${key} stands beside a sum of losses: write it into the loss that it belongs to`),
    ...loss.flatMap((term) => settingProblems(term.name, term)),
  ];
}

function settingProblems(name: LossName, given: LossSettings): string[] {
  const { settings, optional = [] }: LossFacts = LOSSES[name];
  return LOSS_SETTINGS.flatMap((key) => {
    if (settings.includes(key)) return given[key] === undefined ? [`${name.toUpperCase()} needs ${key}`] : [];
    return given[key] === undefined || optional.includes(key) ? [] : [`${key} is no setting of ${name.toUpperCase()}`];
  });
}

/** A stage as people read it: its name, and its loss where the name does not say it. */
export function stageTitle({ stage, loss }: { stage: string; loss: string }): string {
  return stage === loss ? loss.toUpperCase() : `${stage} (${loss.toUpperCase()})`;
}
