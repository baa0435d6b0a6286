import { parse } from "yaml";
import { AppError } from "../../shared/errors.ts";
import { seedOf } from "../lib/random.ts";
import { lossConfig, type Recipe, type StageRecipe } from "../recipe/index.ts";

/** What the engine decides itself for every run; a user's overrides cannot touch it. */
const OWN_KEYS = new Set([
  "loss",
  "model",
  "adapter_in",
  "adapter_out",
  "pairs",
  "checkpoint",
  "resume",
  "reference",
  "reference_adapter",
  "reference_cache",
]);

/** The part of the trainer's configuration that a stage of a recipe fixes, its loss included, under the trainer's own keys. */
export function trainerSettingsOf(recipe: Recipe, stage: StageRecipe, round: number) {
  const { epochs, learning_rate, schedule, warmup_steps, max_grad_norm, gradient_accumulation_steps } = stage;
  return {
    ...lossConfig(stage),
    epochs,
    learning_rate,
    schedule,
    warmup_steps,
    max_grad_norm,
    gradient_accumulation_steps,
    max_length: stage.max_length,
    lora: stage.lora,
    shuffle: true,
    seed: seedOf(recipe.seed, stage.name, round, "training"),
  };
}

/** `--set learning_rate=1e-4 --set lora.r=8` as nested settings; values are read as YAML scalars. Errors: VALIDATION_FAILED. */
export function parseOverrides(overrides: Record<string, string>): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(overrides)) {
    const [outer = "", inner] = key.split(".");
    if (OWN_KEYS.has(outer)) {
      throw new AppError("VALIDATION_FAILED", `${key} cannot be set: it has an option of its own`);
    }
    const value = parseValue(key, text);
    if (inner === undefined) settings[outer] = value;
    else settings[outer] = { ...(settings[outer] as Record<string, unknown> | undefined), [inner]: value };
  }
  return settings;
}

function parseValue(key: string, text: string): unknown {
  // YAML 1.1 and 1.2 read 1e-4 differently; a number is a number here
  if (text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  try {
    return parse(text) as unknown;
  } catch (cause) {
    throw new AppError("VALIDATION_FAILED", `The value of ${key} cannot be read: ${text}`, { cause });
  }
}
