import { z } from "zod";
import {
  Loss,
  LOSS_SETTINGS,
  lossLabel,
  lossNames,
  lossProblems,
  LossSettings,
  needsReference,
} from "../../shared/loss.ts";
import { StageName } from "../../shared/contract/preference.ts";
import { Mask } from "../../shared/mask.ts";
import { AppError } from "../../shared/errors.ts";
import { Lora } from "./lora.ts";

/**
 * How the policy is asked for the rejected response: told to answer at once, so that thinking is what the preference is
 * about; or with the prompt alone that it is trained on, so that its own thinking competes.
 */
export const Rejected = z.enum(["direct", "thinking"]);
export type Rejected = z.infer<typeof Rejected>;

/**
 * A stage is known by its place in the recipe and by a name of its own; its loss is a setting like its learning rate, so
 * that stages may share one. Keys of the trainer's own config carry the trainer's names.
 */
export const StageRecipe = z
  .strictObject({
    name: StageName,
    loss: Loss,
    ...LossSettings.shape,
    rounds: z.int().min(1).max(1000),
    pairsPerRound: z.int().min(1).max(100_000),
    epochs: z.int().min(1).max(100),
    learning_rate: z.number().positive(),
    schedule: z.enum(["constant", "linear", "cosine"]).default("constant"),
    warmup_steps: z.int().min(0).default(0),
    max_grad_norm: z.number().positive(),
    gradient_accumulation_steps: z.int().min(1),
    max_length: z.int().min(64),
    lora: Lora,
    mask: Mask,
    /** Absent: `direct` for a loss that teaches the form itself, `thinking` for one that refines against a reference. */
    rejected: Rejected.optional(),
  })
  .superRefine((stage, context) => {
    for (const message of lossProblems(stage.loss, stage))
      context.addIssue({ code: "custom", path: ["loss"], message });
  });
export type StageRecipe = z.infer<typeof StageRecipe>;

/** A stage with its index in the recipe. */
export type PlacedStage = StageRecipe & { index: number };

/** A stage by its name, or the first whose loss has the name. Errors: VALIDATION_FAILED with the names that there are. */
export function stageOf(recipe: { name: string; stages: readonly StageRecipe[] }, ref: string): PlacedStage {
  const { stages } = recipe;
  const byName = stages.findIndex(({ name }) => name === ref);
  const index = byName >= 0 ? byName : stages.findIndex(({ loss }) => lossNames(loss).some((name) => name === ref));
  const stage = stages[index];
  if (stage) return { ...stage, index };
  throw new AppError("VALIDATION_FAILED", `The recipe ${recipe.name} has no stage ${ref}`, {
    hint: `Choose one of its stages: ${stages.map(({ name, loss }) => (name === lossLabel(loss) ? name : `${name} (${lossLabel(loss)})`)).join(", ")}.`,
  });
}

export function rejectedOf({ rejected, loss }: StageRecipe): Rejected {
  return rejected ?? (needsReference(loss) ? "thinking" : "direct");
}

/** The settings of the stage's loss as the trainer takes them: beside one loss, within the terms of a sum. */
export function lossConfig(stage: StageRecipe): LossSettings & { loss: Loss } {
  const given = LOSS_SETTINGS.filter((key) => stage[key] !== undefined).map((key) => [key, stage[key]] as const);
  return { loss: stage.loss, ...Object.fromEntries(given) };
}
