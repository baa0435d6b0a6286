import { z } from "zod";
import { JobId, TrainingRunId } from "../ids.ts";
import { command, query } from "./define.ts";
import { JobStatus } from "./job.ts";
import { Loss } from "../loss.ts";
import { Device } from "./device.ts";
import { StageColumns } from "./preference.ts";

/** One optimiser step, with TRL's metric names. */
export const TrainingStep = z.object({
  step: z.int(),
  epoch: z.number(),
  loss: z.number(),
  metrics: z.record(z.string(), z.number()),
});
export type TrainingStep = z.infer<typeof TrainingStep>;

/** One kind of thing that is wrong with a run's pairs, with its count. */
export const PairProblem = z.object({
  kind: z.string(),
  /** Pairs that have it, of all pairs of the selection. */
  n: z.int(),
  of: z.int(),
  /** These pairs are not trained on. */
  isDropped: z.boolean(),
  /** The whole sentence for people: "1 of 2 pairs dropped: …". */
  message: z.string(),
});
export type PairProblem = z.infer<typeof PairProblem>;
/** What a run computes on, as the trainer said when it began. */
export const RunDevice = Device.pick({
  name: true,
  description: true,
  package: true,
  memoryFreeMb: true,
  memoryTotalMb: true,
});
export type RunDevice = z.infer<typeof RunDevice>;

export const TrainingRunRow = z.object({
  id: TrainingRunId,
  experimentId: z.string().nullable(),
  ...StageColumns.shape,
  round: z.int(),
  status: z.enum(["running", "succeeded", "failed", "stopped"]),
  modelName: z.string(),
  adapterIn: z.string().nullable(),
  adapterOut: z.string().nullable(),
  /** Pairs that are trained on. */
  nPairs: z.int(),
  pairProblems: z.array(PairProblem),
  nSteps: z.int(),
  config: z.record(z.string(), z.unknown()),
  /** Null until the trainer has begun, and for runs from before this was kept. */
  device: RunDevice.nullable(),
  startedAt: z.int(),
  finishedAt: z.int().nullable(),
});
export type TrainingRunRow = z.infer<typeof TrainingRunRow>;

/** A run of a recipe, with the newest job that works on it. */
export const ExperimentRow = z.object({
  experimentId: z.string(),
  /** The caller's name for it. */
  key: z.string(),
  /** The recipe's name. */
  recipe: z.string(),
  /** Where the recipe came from: the name of one that comes with the program, or a file. */
  source: z.string().nullable(),
  /** What upgrades of the recipe changed, in words. */
  changes: z.array(z.string()),
  jobId: JobId,
  status: JobStatus,
  createdAt: z.int(),
});
export type ExperimentRow = z.infer<typeof ExperimentRow>;

/** How much of the disk the files of each run take, and could be freed without loss to what is gone on with. */
export const RunSpace = z.object({
  runs: z.array(
    z.object({
      runId: TrainingRunId,
      experimentId: z.string().nullable(),
      ...StageColumns.shape,
      round: z.int(),
      status: TrainingRunRow.shape.status,
      sizeBytes: z.number(),
      freeableBytes: z.number(),
    }),
  ),
  totalBytes: z.number(),
  freeableBytes: z.number(),
});
export type RunSpace = z.infer<typeof RunSpace>;

/** Which adapters of an experiment stay: the last one, the last of each stage, or every round's. */
export const Keep = z.enum(["last", "stages", "all"]);
export type Keep = z.infer<typeof Keep>;

/** `notes` are for people: what is other than they may expect. */
const RecipeStarted = z.object({
  jobId: JobId,
  experimentId: z.string(),
  notes: z.array(z.string()),
  /** What the run takes of the disk, at most while it goes on and in the end; null while its model is not there. */
  disk: z.object({ runningBytes: z.number(), keptBytes: z.number(), freeBytes: z.number() }).nullable(),
});
const Roles = z.strictObject({
  teacher: z.string().min(1).optional(),
  policy: z.string().min(1).optional(),
  critic: z.string().min(1).optional(),
});

export const training = {
  start: command({
    input: z.strictObject({
      /** Which pairs of the ledger: a stage's name, or the name of its loss; absent: all. */
      stage: z.string().min(1).optional(),
      /** Absent: the stage is called after its loss. */
      loss: Loss.optional(),
      model: z.string().min(1),
      /** A file in the pair format of the trainer or of TRL, or "ledger". */
      pairs: z.string().min(1),
      adapter: z.string().optional(),
      out: z.string().min(1),
      /** Overrides of single trainer settings, for example {"learning_rate":"1e-4"}. */
      set: z.record(z.string(), z.string()).optional(),
    }),
    output: z.object({ jobId: JobId }),
  }),
  /** Runs a whole recipe: pairs and training by stage and round, then the parity report. */
  runRecipe: command({
    input: z.strictObject({
      recipe: z.string().min(1),
      /** The caller's name for the experiment: the same key goes on where it was. A new one when absent. */
      key: z.string().min(1).optional(),
      /** Models by name, id or absolute path, in place of the recipe's own. */
      roles: Roles.optional(),
    }),
    output: RecipeStarted,
  }),
  /** Goes on with the newest unfinished run of this recipe, with the recipe and the roles that it began with. */
  resumeRecipe: command({ input: z.strictObject({ recipe: z.string().min(1) }), output: RecipeStarted }),
  space: query({ input: z.strictObject({ keep: Keep.optional() }), output: RunSpace }),
  /** Frees what `space` says can be freed, by the recipes' own `keep` or this one. */
  cleanRuns: command({
    input: z.strictObject({ keep: Keep.optional() }),
    output: z.object({ freedBytes: z.number() }),
  }),
  listExperiments: query({ input: z.strictObject({}), output: z.array(ExperimentRow) }),
  listRuns: query({ input: z.strictObject({}), output: z.array(TrainingRunRow) }),
  getRun: query({
    input: z.strictObject({ runId: TrainingRunId }),
    output: TrainingRunRow.extend({
      steps: z.array(TrainingStep),
      /** The numbers of the steps whose loss or gradient was not finite: the trainer left their updates out. */
      skippedSteps: z.array(z.int()),
    }),
  }),
};
export type TrainingEvents = {
  "training.step": { runId: TrainingRunId; step: TrainingStep };
  /** Something that the user should know of a run and that does not end it. */
  "training.warning": { runId: TrainingRunId; message: string };
};
