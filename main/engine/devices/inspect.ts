import { statSync } from "node:fs";
import { z } from "zod";
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
};

/** What `native-trainer inspect` prints of a model, or of a file that is none. */
const ModelLine = z.object({
  event: z.literal("model"),
  trainable: z.boolean(),
  reason: z.string().nullable(),
  sliding_window: z.int().optional(),
});
const ErrorLine = z.object({ event: z.literal("error"), message: z.string() });

export async function inspectModel(location: TrainerLocation, path: string): Promise<Trainability> {
  const no = (reason: string): Trainability => ({ trainable: false, reason, slidingWindow: null });
  try {
    const { lines, end } = await askTrainer(location, ["inspect", path]);
    const model = ModelLine.safeParse(lines.at(-1)).data;
    if (model) {
      const window = model.sliding_window ?? 0;
      return { trainable: model.trainable, reason: model.reason, slidingWindow: window > 0 ? window : null };
    }
    const error = ErrorLine.safeParse(lines.at(-1)).data;
    return no(error?.message ?? `the trainer ended ${end === null ? "never" : "without an answer"} when it was asked`);
  } catch (error) {
    if (isAppError(error, "TRAINER_MISSING")) return no("the native trainer is not there to ask");
    throw error;
  }
}

/** Another trainer may answer otherwise, so an answer is kept with what identifies the trainer that gave it. */
export function trainerIdentity(trainerPath: string): string {
  const stats = statSync(trainerPath, { throwIfNoEntry: false });
  return stats ? `${stats.size} ${stats.mtimeMs}` : "none";
}
