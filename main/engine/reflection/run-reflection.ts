import { type JobInput, JobInputs } from "../../shared/contract/job-types.ts";
import type { Iteration } from "../../shared/contract/reflection.ts";
import { isAppError } from "../../shared/errors.ts";
import { loadPromptSet, type PromptSet } from "../asking/index.ts";
import { defineJob, type JobContext } from "../jobs/index.ts";
import { type Asker, createAsker } from "./asker.ts";
import { linkCritique } from "./critique-links.ts";
import { integrateAnswers } from "./integrate.ts";
import { measureIteration } from "./metrics.ts";
import { answerFrom, draftResponse } from "./policy.ts";
import type { ReflectionStore } from "./reflection-store.ts";
import { type Reviser, reviserFor } from "./revision.ts";
import { createSimilarity, type Similarity } from "./similarity.ts";
import { findSources } from "./sources.ts";
import { stopReason } from "./stop-rules.ts";
import { createTextStream, type TextStream } from "./text-stream.ts";
import type { ReflectionDeps, ReflectionPlan, Role, Situation } from "./types.ts";

type Context = JobContext<JobInput<"reflection.run">>;

/** One iteration after the other, each stored whole before the next begins: a second attempt goes on after the last. */
export function reflectionJob(deps: ReflectionDeps, store: ReflectionStore) {
  return defineJob({
    type: "reflection.run",
    lane: "gpu",
    recovery: "requeue",
    input: JobInputs["reflection.run"],
    about: ({ reflectionId }) => reflectionId,
    title: ({ reflectionId }) => `Reflect: ${shorten(store.settings(reflectionId).question)}`,
    async run(context) {
      const id = context.input.reflectionId;
      try {
        await runReflection(deps, store, context);
      } catch (error) {
        // a closing engine aborts too, but then the job goes on at the next start
        const isClosing = context.signal.aborted && !isAppError(context.signal.reason, "CANCELLED");
        if (!isClosing) store.finish(id, context.signal.aborted ? "cancelled" : "failed");
        throw error;
      } finally {
        deps.emit("reflection.changed", { reflectionId: id });
      }
      return { reflectionId: id };
    },
  });
}

async function runReflection(deps: ReflectionDeps, store: ReflectionStore, context: Context): Promise<void> {
  const { signal, jobId } = context;
  const id = context.input.reflectionId;
  const plan = store.settings(id);
  const promptSets = loadPromptSets(deps.promptsDir, plan);
  const similarity = createSimilarity(deps.embedder, signal);
  store.setJob(id, jobId);
  deps.emit("reflection.changed", { reflectionId: id });
  if (store.iterations(id).length === 0) {
    const sources = plan.retrieve ? await findSources(deps.corpus, plan.question, signal) : [];
    const promptHashes = { policy: promptSets.policy.hash, critic: promptSets.critic.hash };
    store.begin(id, sources, { runner: await deps.runner.facts(), promptHashes });
  }
  while (store.stopReason(id) === null) {
    const earlier = store.iterations(id);
    context.progress(progressOf(earlier.length, plan));
    const situation = { plan, sources: store.sources(id), earlier };
    await withAsker(deps, context, plan, promptSets, earlier.length, async (ask, stream) => {
      const iteration = await makeIteration(ask, stream, situation, similarity, reviserFor(ask, deps.reviseByLines));
      if (iteration === null) return store.setStopReason(id, "converged");
      const reason = stopReason(iteration, earlier.at(-1) ?? null, plan.nIterations, plan.stopLimits);
      store.saveIteration(id, { iteration, calls: ask.calls }, reason);
      deps.emit("reflection.changed", { reflectionId: id });
    });
  }
  if (plan.integrate) await integrate(deps, store, context, promptSets);
  store.finish(id, "succeeded");
  context.progress(progressOf(plan.nIterations + 1, plan));
}

/** Null when the critic has nothing to say: the iteration before it was the last. */
async function makeIteration(
  ask: Asker,
  stream: TextStream,
  situation: Situation,
  similarity: Similarity,
  revise: Reviser,
): Promise<Iteration | null> {
  const startedAt = performance.now();
  const previous = situation.earlier.at(-1) ?? null;
  const revision = previous && (await revise(ask, situation, similarity));
  if (revision?.points.length === 0) return null;
  if (revision) {
    stream.push("critique", revision.points.map((point, i) => `${i + 1}. ${point}`).join("\n"));
    stream.push("improvedThinking", revision.thinking);
  }
  const response = revision ? await answerFrom(ask, revision.thinking, situation) : await draftResponse(ask, situation);
  return {
    index: situation.earlier.length,
    thinking: response.thinking,
    reflection: response.reflection,
    answer: response.answer,
    critique: revision
      ? await linkCritique(revision.points, previous.thinking, revision.thinking, similarity, revision.outcomes)
      : [],
    improvedThinking: revision?.thinking ?? null,
    problems: [...(revision?.problems ?? []), ...response.problems, ...ask.ownThinking],
    metrics: await measureIteration(response, previous, similarity),
    tokens: ask.calls.reduce((sum, call) => sum + call.nTokens, 0),
    tookMs: performance.now() - startedAt,
  };
}

async function integrate(
  deps: ReflectionDeps,
  store: ReflectionStore,
  context: Context,
  promptSets: Record<Role, PromptSet>,
): Promise<void> {
  const id = context.input.reflectionId;
  if (store.detail(id).integrated !== null) return;
  const plan = store.settings(id);
  const iterations = store.iterations(id);
  await withAsker(deps, context, plan, promptSets, iterations.length, async (ask) => {
    store.setIntegrated(id, await integrateAnswers(ask, plan.question, iterations), ask.calls);
  });
}

async function withAsker(
  deps: ReflectionDeps,
  context: Context,
  plan: ReflectionPlan,
  promptSets: Record<Role, PromptSet>,
  index: number,
  work: (ask: Asker, stream: TextStream) => Promise<void>,
): Promise<void> {
  const stream = createTextStream(deps.emit, context.input.reflectionId, index);
  try {
    await work(createAsker({ runner: deps.runner, plan, index, promptSets, stream, signal: context.signal }), stream);
  } finally {
    stream.close();
  }
}

function loadPromptSets(promptsDir: string, { policy, critic }: ReflectionPlan): Record<Role, PromptSet> {
  return { policy: loadPromptSet(promptsDir, policy.promptSet), critic: loadPromptSet(promptsDir, critic.promptSet) };
}

function progressOf(n: number, { nIterations }: ReflectionPlan) {
  const message = n === 0 ? "First draft" : n > nIterations ? "Done" : `Iteration ${n} of ${nIterations}`;
  return { n, total: nIterations + 1, unit: "iterations", message };
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59).trimEnd()}…`;
}
