import { existsSync } from "node:fs";
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { JobInputs, type TrainingRunInput, type TrainingRunOutput } from "../../shared/contract/job-types.ts";
import type { TrainingRunRow } from "../../shared/contract/training.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { lossLabel, needsReference, stageTitle } from "../../shared/loss.ts";
import { MarkerSet } from "../../shared/markers.ts";
import type { TrainingRunId } from "../../shared/ids.ts";
import type { ChosenDevice } from "../devices/index.ts";
import { defineJob, type JobContext } from "../jobs/index.ts";
import { writeFileAtomic } from "../lib/files.ts";
import { cardPathOf } from "../models/index.ts";
import { writeCard } from "./adapter-card.ts";
import { checkOutput, explainWriteError, type OutputRequest } from "./check-output.ts";
import { encodePairs } from "./encode-pairs.ts";
import { createRunWarnings, type RunWarnings } from "./run-warnings.ts";
import { verifyAdapter } from "./parity.ts";
import { recordDevice, wantedDevice } from "./run-device.ts";
import type { TrainerEvent } from "./trainer-events.ts";
import { runTrainer } from "./trainer-process.ts";
import type { TrainingDeps } from "./deps.ts";
import { selectPairs } from "./select-pairs.ts";

/** The trainer's own. */
const DEFAULT_MAX_LENGTH = 2048;
/** Crashes of the trainer without a single new step between them, before the run is given up. */
const MAX_CRASHES_IN_PLACE = 3;

/** Pairs to token ids, the trainer to its end with as many restarts as it takes, adapter to its place, parity. */
export function trainingRunJob(deps: TrainingDeps) {
  return defineJob({
    type: "training.run",
    lane: "gpu",
    recovery: "requeue",
    input: JobInputs["training.run"],
    title: ({ stage, round, settings }) =>
      `Train ${stageTitle({ stage, loss: lossLabel(settings.loss) })}, round ${round + 1}`,
    run: (context) => runTraining(deps, context),
  });
}

async function runTraining(deps: TrainingDeps, context: JobContext<TrainingRunInput>): Promise<TrainingRunOutput> {
  const { input, signal } = context;
  const model = await deps.models.resolveModel(input.model);
  if (!model.facts.trainable) {
    throw new AppError("MODEL_INCOMPATIBLE", `${model.name} cannot be trained: ${model.facts.notTrainableReason}`);
  }
  const chosen = await deps.devices.choose(wantedDevice(input.settings));
  const run = deps.runs.findOrCreate({
    jobId: context.jobId,
    experimentId: input.experimentId,
    stage: input.stage,
    stageIndex: input.stageIndex,
    loss: lossLabel(input.settings.loss),
    round: input.round,
    modelPath: model.path,
    modelName: model.name,
    adapterIn: input.adapterIn,
    requestKey: input.requestKey,
  });
  try {
    await checkOutput(outputRequestOf(deps, input, model.path));
    const warnings = createRunWarnings(deps, run.id, context.record);
    if (chosen.fault) warnings.device(chosen.fault);
    const files = await prepare(deps, run.id, input, model.path, chosen, context, warnings);
    await deps.runner.unload();
    const summary = await trainToTheEnd(deps, run.id, files.config, chosen, context, warnings);
    const steps = deps.runs.steps(run.id);
    if (steps.length === 0 && deps.runs.skippedSteps(run.id).length > 0) throw nothingLearnt();
    await publish(files.adapter, input.adapterOut);
    const { parity, adapterId } = await proveAdapter(deps, run, input, model, signal);
    deps.runs.finish(run.id, "succeeded", input.adapterOut, summary);
    const { nSteps = 0, pairProblems = [] } = deps.runs.get(run.id) ?? {};
    context.record("trained", { runId: run.id, adapterId, nSteps });
    return {
      runId: run.id,
      adapterPath: input.adapterOut,
      nSteps,
      firstLoss: steps[0]?.loss ?? Number.NaN,
      lastLoss: steps.at(-1)?.loss ?? Number.NaN,
      parity,
      pairProblems,
    };
  } catch (error) {
    deps.runs.finish(run.id, signal.aborted ? "stopped" : "failed", null, null);
    throw error;
  }
}

async function prepare(
  deps: TrainingDeps,
  runId: TrainingRunId,
  input: TrainingRunInput,
  modelPath: string,
  { device }: ChosenDevice,
  context: JobContext<TrainingRunInput>,
  warnings: RunWarnings,
): Promise<{ config: string; adapter: string }> {
  const dir = join(deps.workspaceDir, "runs", runId);
  await mkdir(dir, { recursive: true });
  const pairsPath = join(dir, "pairs.jsonl");
  const checkpoint = join(dir, "checkpoint.gguf");
  // what a checkpoint has learnt from stays what it is learnt from, whatever happened to the ledger or the file since
  const isGoingOn = existsSync(checkpoint) && existsSync(pairsPath);
  const markers = isGoingOn
    ? markersOfRun(deps.runs.get(runId))
    : await writePairs(deps, runId, input, { modelPath, pairsPath }, context, warnings);
  const adapter = join(dir, "adapter.gguf");
  const config = {
    ...input.settings,
    device: device.name,
    model: modelPath,
    ...(input.adapterIn === null ? {} : { adapter_in: input.adapterIn }),
    ...referenceOf(input, deps.workspaceDir),
    adapter_out: adapter,
    pairs: pairsPath,
    checkpoint: { path: checkpoint, every_steps: 1 },
    resume: true,
  };
  const configPath = join(dir, "config.json");
  await writeFileAtomic(configPath, `${JSON.stringify(config, null, 2)}\n`);
  // what the trainer need not know, and whoever goes on with the run does
  deps.runs.setConfig(runId, { ...config, markers });
  context.record("prepared", { runId, nPairs: deps.runs.get(runId)?.nPairs ?? 0 });
  return { config: configPath, adapter };
}

/** The run's pairs as token ids; what of them cannot be used as asked is said at once and kept with the run. */
async function writePairs(
  deps: TrainingDeps,
  runId: TrainingRunId,
  input: TrainingRunInput,
  files: { modelPath: string; pairsPath: string },
  context: JobContext<TrainingRunInput>,
  warnings: RunWarnings,
): Promise<MarkerSet | null> {
  const { pairs, problems: leftOut } = await selectPairs(deps, input.pairs);
  const maxLength = Number(input.settings["max_length"] ?? DEFAULT_MAX_LENGTH);
  const request = { modelPath: files.modelPath, pairs, mask: input.mask, maxLength };
  const { lines, problems, markers } = await encodePairs(deps, request, context.signal);
  await writeFileAtomic(files.pairsPath, lines.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
  deps.runs.setNPairs(runId, lines.length);
  for (const problem of [...leftOut, ...problems]) warnings.pairProblem(problem);
  return markers;
}

function markersOfRun(run: TrainingRunRow | undefined): MarkerSet | null {
  return MarkerSet.safeParse(run?.config["markers"]).data ?? null;
}

/** The reference stays what it was at the start of the stage, while the policy's adapter grows by the round. */
function referenceOf(input: TrainingRunInput, workspaceDir: string): Record<string, unknown> {
  if (!needsReference(input.settings.loss)) return {};
  const reference_cache = join(workspaceDir, "cache", "reference-logps");
  if (input.referenceAdapter === null) return { reference: "base", reference_cache };
  if (input.referenceAdapter === input.adapterIn) return { reference: "adapter_in", reference_cache };
  return { reference_adapter: input.referenceAdapter, reference_cache };
}

async function trainToTheEnd(
  deps: TrainingDeps,
  runId: TrainingRunId,
  configPath: string,
  { location, device }: ChosenDevice,
  context: JobContext<TrainingRunInput>,
  warnings: RunWarnings,
): Promise<TrainerEvent | undefined> {
  let summary: TrainerEvent | undefined;
  let newestStep = 0;
  let nCrashesInPlace = 0;
  const onEvent = (event: TrainerEvent) => {
    if (event.event === "hello") {
      if (event.pairs) deps.runs.setNPairs(runId, event.pairs.used);
      recordDevice(deps, runId, event, device.package, context.record);
    } else if (event.event === "step") {
      if (event.step > newestStep) nCrashesInPlace = 0;
      newestStep = Math.max(newestStep, event.step);
      recordStep(deps, runId, event, context);
    } else if (event.event === "warning") warnings.trainerSaid(event);
    else if (event.event === "evaluation") context.record(event.event, event);
    else if (event.event === "done") summary = event;
  };
  for (;;) {
    try {
      await runTrainer(location, "train", [configPath], onEvent, context.signal);
      return summary;
    } catch (error) {
      if (!isAppError(error, "TRAINER_CRASHED") || context.signal.aborted) throw error;
      nCrashesInPlace += 1;
      context.record("trainer_crashed", { message: error.message, afterStep: newestStep });
      deps.log.warn(
        { scope: "training", runId, afterStep: newestStep, err: error },
        "the trainer died; it is started again",
      );
      if (nCrashesInPlace >= MAX_CRASHES_IN_PLACE) throw error;
    }
  }
}

function recordStep(
  deps: TrainingDeps,
  runId: TrainingRunId,
  event: TrainerEvent & { event: "step" },
  context: JobContext<TrainingRunInput>,
): void {
  const { event: _event, step, epoch, loss, ...rest } = event;
  const total = typeof rest["steps"] === "number" ? rest["steps"] : null;
  // the trainer's warning, which comes before such a step, is what is said of it
  if (loss === null) {
    deps.runs.putSkipped(runId, step);
    return context.progress({ n: step, total, unit: "steps", message: "no finite loss" });
  }
  const numbers = Object.entries(rest).filter((entry): entry is [string, number] => Number.isFinite(entry[1]));
  const row = { step, epoch, loss, metrics: Object.fromEntries(numbers) };
  deps.runs.putStep(runId, row);
  if (rest.grad_norm === null) deps.runs.putSkipped(runId, step);
  deps.emit("training.step", { runId, step: row });
  context.progress({ n: step, total, unit: "steps", message: `loss ${loss.toFixed(4)}` });
}

/** As the trainer says of many such steps in a row, which a short run does not come to. */
function nothingLearnt(): AppError {
  return new AppError("TRAINER_CONFIG", "No step of the training gave a finite loss, so nothing was learned", {
    hint: "Use a smaller learning_rate, and look at the pairs.",
  });
}

/** What the output check needs to know of a request. */
export function outputRequestOf(
  { workspaceDir }: Pick<TrainingDeps, "workspaceDir">,
  { adapterOut, adapterIn, pairs, settings }: TrainingRunInput,
  modelPath: string,
): OutputRequest {
  const pairsPath = pairs.from === "file" ? pairs.path : null;
  return { adapterOut, modelPath, adapterIn, pairsPath, workspaceDir, settings };
}

/** By copy and rename, since the destination may be on another disk. */
async function publish(from: string, to: string): Promise<void> {
  const temporary = `${to}.part`;
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, temporary);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainWriteError(error, dirname(to));
  }
}

async function proveAdapter(
  deps: TrainingDeps,
  run: TrainingRunRow,
  input: TrainingRunInput,
  model: { id: string; name: string; sha256: string },
  signal: AbortSignal,
) {
  const path = input.adapterOut;
  await rm(cardPathOf(path), { force: true });
  const markers = markersOfRun(deps.runs.get(run.id));
  const adapter = await deps.models.registerAdapter({ path, modelId: model.id, trainingRunId: run.id, markers });
  const { report, scores } = await verifyAdapter(
    deps,
    { adapterPath: path, model: input.model, device: wantedDevice(input.settings) },
    signal,
  );
  await writeCard(cardPathOf(path), {
    sha256: adapter.sha256,
    runId: run.id,
    stage: input.stage,
    stageIndex: input.stageIndex,
    loss: lossLabel(input.settings.loss),
    round: input.round,
    markers,
    model: { name: model.name, sha256: model.sha256 },
    config: deps.runs.get(run.id)?.config ?? {},
    probe: scores,
  });
  deps.models.setParity(adapter.id, report);
  return { parity: report.verdict, adapterId: adapter.id };
}
