import { statSync } from "node:fs";
import { z } from "zod";
import type { TrainingMemory } from "../../shared/contract/model.ts";
import { isAppError } from "../../shared/errors.ts";
import { askTrainer } from "./ask-trainer.ts";
import type { TrainerLocation } from "./environment.ts";

/** The trainer's answer to "can this model be trained?": the only one there is. */
export type Trainability = {
  trainable: boolean;
  /** In words; null when it can. */
  reason: string | null;
  /** Of a model with layers that see no further: longer pairs cannot be trained. */
  slidingWindow: number | null;
  /** What training takes on the device that was asked about; null when none was, or it gave no answer. */
  trainingMemory: TrainingMemory | null;
};

/** What `native-trainer inspect` prints of a model, or of a file that is none. */
const ModelLine = z.object({
  event: z.literal("model"),
  trainable: z.boolean(),
  reason: z.string().nullable(),
  sliding_window: z.int().optional(),
});
/** What it prints behind that of a model that can be trained, with `--device`. */
const MemoryLine = z.object({
  event: z.literal("training_memory"),
  device: z.object({ name: z.string() }),
  plans: z.array(z.object({ memory_estimate_mb: z.int() })).min(1),
});
const ErrorLine = z.object({ event: z.literal("error"), message: z.string() });

/** `device`: also what training takes on it, whose libraries `location` names. */
export async function inspectModel(
  location: TrainerLocation,
  path: string,
  device: string | null = null,
): Promise<Trainability> {
  const no = (reason: string): Trainability => ({
    trainable: false,
    reason,
    slidingWindow: null,
    trainingMemory: null,
  });
  try {
    const { lines, end } = await askTrainer(location, ["inspect", ...(device ? ["--device", device] : []), path]);
    // a driver may end the trainer behind this line
    const model = lines.map((line) => ModelLine.safeParse(line).data).find((line) => line !== undefined);
    if (model) {
      const window = model.sliding_window ?? 0;
      return {
        trainable: model.trainable,
        reason: model.reason,
        slidingWindow: window > 0 ? window : null,
        trainingMemory: readMemory(lines.at(-1)),
      };
    }
    const error = ErrorLine.safeParse(lines.at(-1)).data;
    return no(error?.message ?? `the trainer ended ${end === null ? "never" : "without an answer"} when it was asked`);
  } catch (error) {
    if (isAppError(error, "TRAINER_MISSING")) return no("the native trainer is not there to ask");
    throw error;
  }
}

function readMemory(line: unknown): TrainingMemory | null {
  const memory = MemoryLine.safeParse(line).data;
  return memory ? { device: memory.device.name, plansMb: memory.plans.map((plan) => plan.memory_estimate_mb) } : null;
}

/** Another trainer may answer otherwise, so an answer is kept with what identifies the trainer that gave it. */
export function trainerIdentity(trainerPath: string): string {
  const stats = statSync(trainerPath, { throwIfNoEntry: false });
  return stats ? `${stats.size} ${stats.mtimeMs}` : "none";
}
