import { z } from "zod";
import { AppError } from "../../shared/errors.ts";

/** What the run computes on, in the trainer's words. */
const HelloDevice = z.looseObject({
  name: z.string(),
  description: z.string(),
  type: z.string(),
  memory_free_mb: z.number(),
  memory_total_mb: z.number(),
});
const Hello = z.looseObject({
  event: z.literal("hello"),
  device: HelloDevice.optional(),
  pairs: z.looseObject({ used: z.int() }).optional(),
});
/** Loss and gradient norm are null where they are no finite numbers; the update of such a step was left out. */
const Step = z.looseObject({
  event: z.literal("step"),
  step: z.int(),
  epoch: z.number(),
  loss: z.number().nullable(),
  grad_norm: z.number().nullable().optional(),
});
/** The loss of pairs that are not trained on; TRL's metric names with `eval_` before them. */
const Evaluation = z.looseObject({ event: z.literal("evaluation"), step: z.int(), eval_loss: z.number().nullable() });
const Pair = z.looseObject({
  event: z.literal("pair"),
  id: z.string(),
  chosen_logp_sum: z.number(),
  rejected_logp_sum: z.number(),
  /** Null in ORPO, which has no reference model. */
  ref_chosen_logp_sum: z.number().nullable(),
  ref_rejected_logp_sum: z.number().nullable(),
  /** Of the single tokens, when the config asks for `token_logps`. */
  chosen_logps: z.array(z.number()).optional(),
  rejected_logps: z.array(z.number()).optional(),
  ref_chosen_logps: z.array(z.number()).optional(),
  ref_rejected_logps: z.array(z.number()).optional(),
});
const Checkpoint = z.looseObject({ event: z.literal("checkpoint") });
const Warning = z.looseObject({
  event: z.literal("warning"),
  code: z.string().optional(),
  message: z.string(),
  /** How many pairs it is about, of how many. */
  n: z.int().optional(),
  of: z.int().optional(),
});
const Failure = z.looseObject({
  event: z.literal("error"),
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
});
const Done = z.looseObject({ event: z.literal("done") });

const TrainerEvent = z.discriminatedUnion("event", [Hello, Step, Evaluation, Pair, Checkpoint, Warning, Failure, Done]);
export type TrainerEvent = z.infer<typeof TrainerEvent>;
export type TrainerPair = z.infer<typeof Pair>;
export type TrainerFailure = z.infer<typeof Failure>;

const KNOWN_EVENTS = new Set(["hello", "step", "evaluation", "pair", "checkpoint", "warning", "error", "done"]);

/** One line of the trainer's stdout; undefined for an event that this version does not know. Errors: TRAINER_PROTOCOL. */
export function parseTrainerLine(line: string): TrainerEvent | undefined {
  const value = parseJson(line);
  const event = typeof value === "object" && value !== null && "event" in value ? value.event : undefined;
  if (typeof event !== "string") throw malformed(line);
  if (!KNOWN_EVENTS.has(event)) return undefined;
  const parsed = TrainerEvent.safeParse(value);
  if (!parsed.success) throw malformed(line);
  return parsed.data;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw malformed(line);
  }
}

function malformed(line: string): AppError {
  return new AppError("TRAINER_PROTOCOL", "The trainer wrote a line that is not of its protocol", {
    hint: "Trainer and program are of different versions: build the trainer again with npm run build:native.",
    details: { line: line.slice(0, 300) },
  });
}
