import { z } from "zod";
import { ReflectionId, type TrainingRunId } from "../ids.ts";
import { Loss } from "../loss.ts";
import { Mask } from "../mask.ts";
import type { ImportOutput } from "./corpus.ts";
import type { GraphStats } from "./graph.ts";
import type { ParityReport } from "./model.ts";
import type { PairRow, StageColumns } from "./preference.ts";
import type { PairProblem } from "./training.ts";

/**
 * What each type of job is given. [Note: job types] Inputs are stored and parsed again at every attempt, so they are
 * schemas; outputs are written by the handler of the same build, so they are types. `job.get` gives the output, lists and
 * events do not: it can hold hundreds of pairs.
 */
export const JobInputs = {
  "corpus.import": z.strictObject({ paths: z.array(z.string().min(1)).min(1), embed: z.boolean().optional() }),
  "model.get": z.strictObject({ name: z.string().min(1) }),
  "graph.build": z.strictObject({}),
  "reflection.run": z.strictObject({ reflectionId: ReflectionId }),
  "preference.generate": z.strictObject({
    experimentId: z.string().min(1),
    /** The name of one of the recipe's stages. */
    stage: z.string().min(1),
    round: z.int().min(0),
    /** Accepted pairs that the round should have in the end. */
    count: z.int().min(1),
    /** With at least so many the round ends well when its attempts are used up; absent: with all. */
    minAccepted: z.int().min(1).optional(),
    /** The policy as it now is: a model's name, id or path, and the newest adapter's path. */
    policy: z.string().min(1),
    policyAdapter: z.string().nullable(),
  }),
  "training.run": z.strictObject({
    experimentId: z.string().nullable(),
    stage: z.string().min(1),
    stageIndex: z.int().min(0),
    round: z.int().min(0),
    model: z.string(),
    adapterIn: z.string().nullable(),
    /** The frozen reference of a loss that has one: an adapter file, or null for the base model. */
    referenceAdapter: z.string().nullable(),
    /** Where the pairs come from: a round of an experiment, the ledger by a stage's name or loss, all of it, or a file. */
    pairs: z.discriminatedUnion("from", [
      z.strictObject({ from: z.literal("round"), experimentId: z.string(), stage: z.string(), round: z.int() }),
      z.strictObject({ from: z.literal("ledger"), stage: z.string().optional() }),
      z.strictObject({ from: z.literal("file"), path: z.string() }),
    ]),
    mask: Mask,
    adapterOut: z.string(),
    /** The trainer's own configuration keys. */
    settings: z.looseObject({ loss: Loss }),
    /** Of a training that was asked for by itself: the same request goes on with its run. */
    requestKey: z.string().nullable().default(null),
  }),
  "adapter.verify": z.strictObject({ adapterPath: z.string().min(1), model: z.string().min(1) }),
  "experiment.run": z.strictObject({
    /** The caller's name for the experiment: the same key goes on where it was. */
    key: z.string().min(1),
    /** A file, or the name of a recipe that comes with the program. */
    recipe: z.string().min(1),
  }),
} as const;

/** What each type of job gives. */
export type JobOutputs = {
  "corpus.import": ImportOutput;
  "model.get": { name: string; path: string; modelId: string | null };
  "graph.build": GraphStats;
  "reflection.run": { reflectionId: ReflectionId };
  "preference.generate": GenerateOutput;
  "training.run": TrainingRunOutput;
  "adapter.verify": ParityReport;
  "experiment.run": ExperimentOutput;
};

export type JobType = keyof typeof JobInputs & keyof JobOutputs;
export type JobInput<Type extends JobType> = z.output<(typeof JobInputs)[Type]>;
export type JobOutput<Type extends JobType> = JobOutputs[Type];

export type GenerateInput = JobInput<"preference.generate">;
/** What a round came to when it had its pairs, or its attempts were over. */
export type RoundYield = {
  nAsked: number;
  nAccepted: number;
  nAttempts: number;
  filterCounts: Record<string, number>;
};
export type GenerateOutput = RoundYield & {
  experimentId: string;
  /** The accepted pairs, the first few hundred of a long round. */
  rows: PairRow[];
};

export type TrainingRunInput = JobInput<"training.run">;
export type PairSelection = TrainingRunInput["pairs"];
export type TrainingRunOutput = {
  runId: TrainingRunId;
  adapterPath: string;
  nSteps: number;
  firstLoss: number;
  lastLoss: number;
  parity: ParityReport["verdict"];
  /** What of the pairs could not be used as asked, with counts. */
  pairProblems: PairProblem[];
};

export type ExperimentRound = StageColumns & {
  round: number;
  pairs: RoundYield;
  /** Null for a round that had too few pairs to be trained on. */
  run: TrainingRunOutput | null;
};
export type ExperimentOutput = {
  experimentId: string;
  recipe: string;
  adapterPath: string;
  rounds: ExperimentRound[];
  parity: TrainingRunOutput["parity"];
};

/** The output of a job that is known to have succeeded; a job of another type is a mistake of the caller. */
export function outputOf<Type extends JobType>(job: { type: string; output: unknown }, type: Type): JobOutput<Type> {
  if (job.type !== type) throw new Error(`a job of type ${job.type} was taken for one of type ${type}`);
  // what the handler of this type gave: defineJob holds it to the table above
  return job.output as JobOutput<Type>;
}
