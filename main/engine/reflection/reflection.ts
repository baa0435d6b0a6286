import { randomInt } from "node:crypto";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import type { ReflectInput, ReflectionDetail } from "../../shared/contract/reflection.ts";
import type { JobId, ReflectionId } from "../../shared/ids.ts";
import { DEFAULT_MARKERS } from "../../shared/markers.ts";
import { loadPromptSet, promptSetFor } from "../asking/index.ts";
import type { JobDefinition } from "../jobs/index.ts";
import { sha256OfFile } from "../lib/files.ts";
import { newId } from "../lib/ids.ts";
import { createReflectionStore } from "./reflection-store.ts";
import { reflectionJob } from "./run-reflection.ts";
import { DEFAULT_STOP_LIMITS } from "./stop-rules.ts";
import type { Call, ReflectionDeps, ReflectionPlan, UsedFile, Voice } from "./types.ts";

const DEFAULT_ITERATIONS = 3;

export type Reflection = {
  handlers: EngineHandlers["reflection"];
  jobs: JobDefinition[];
  api: {
    /** Returns at once; the job does the work. Errors: MODEL_NOT_FOUND, MODEL_INVALID, NOT_FOUND. */
    start(input: ReflectInput): Promise<{ reflectionId: ReflectionId; jobId: JobId }>;
    get(reflectionId: ReflectionId): ReflectionDetail;
    /** Every generation behind the stored iterations, iteration by iteration: what a replay repeats. */
    calls(reflectionId: ReflectionId): Call[][];
  };
};

/** Recursive answering: draft, critique, improved thinking, new answer, again. */
export function createReflection(deps: ReflectionDeps): Reflection {
  const store = createReflectionStore(deps.db);

  async function start(input: ReflectInput): Promise<{ reflectionId: ReflectionId; jobId: JobId }> {
    const plan = await makePlan(deps, input);
    const reflectionId = newId<ReflectionId>(deps.clock());
    // one transaction: no reflection without a job, and no job without its reflection
    const jobId = deps.db.transaction(() => {
      store.insert({ id: reflectionId, plan, input, createdAt: deps.clock() });
      const jobId = deps.enqueue({
        type: "reflection.run",
        input: { reflectionId },
        idempotencyKey: `reflection:${reflectionId}`,
      });
      store.setJob(reflectionId, jobId);
      return jobId;
    })();
    deps.emit("reflection.changed", { reflectionId });
    return { reflectionId, jobId };
  }

  return {
    handlers: {
      start,
      list: () => store.list(),
      get: ({ reflectionId }) => store.detail(reflectionId),
    },
    jobs: [reflectionJob(deps, store)],
    api: { start, get: store.detail, calls: store.calls },
  };
}

/** The critic is the base model without its adapter, unless another one is named. A prompt set that is named goes for both. */
async function makePlan({ models, promptsDir }: ReflectionDeps, input: ReflectInput): Promise<ReflectionPlan> {
  // a name that does not exist is said now, not by a job
  if (input.promptSet !== undefined) loadPromptSet(promptsDir, input.promptSet);
  const base = await models.resolveModel(input.model);
  const criticModel = input.critic === undefined ? base : await models.resolveModel(input.critic);
  const adapter = input.adapter === undefined ? null : await models.resolveAdapter(input.adapter);
  const usedAdapter = adapter && usedFile({ ...adapter, sha256: adapter.sha256 ?? (await sha256OfFile(adapter.path)) });
  const voice = (model: typeof base, adapter: UsedFile | null): Voice => ({
    model: usedFile(model),
    adapter,
    promptSet: input.promptSet ?? promptSetFor(model.facts),
  });
  return {
    question: input.question.trim(),
    policy: voice(base, usedAdapter),
    critic: voice(criticModel, null),
    nIterations: input.iterations ?? DEFAULT_ITERATIONS,
    integrate: input.integrate ?? false,
    retrieve: input.retrieve ?? false,
    seed: input.seed ?? randomInt(1, 2 ** 31),
    // the policy thinks between the markers that it was trained with
    markers: adapter?.markers ?? base.markers ?? DEFAULT_MARKERS,
    stopLimits: DEFAULT_STOP_LIMITS,
  };
}

function usedFile({ name, path, sha256 }: UsedFile): UsedFile {
  return { name, path, sha256 };
}
