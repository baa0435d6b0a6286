import { createHash } from "node:crypto";
import type { MarkerSet } from "../../shared/markers.ts";
import { withoutOwnThinking } from "../../shared/own-thinking.ts";
import type { ModelBinding, ModelRunner, Sampler } from "../inference/index.ts";
import { seedOf } from "../lib/random.ts";
import { type PromptSet, renderPrompt } from "./prompt-set.ts";

export type Role = "teacher" | "policy";

/** What is kept of a generation: with the prompt set of the recorded hash, the call can be made again and compared. */
export type Call = {
  role: Role;
  task: string;
  part: string;
  attempt: number;
  sampler: Sampler;
  promptSha256: string;
  /** As the model wrote it, with what it thought by itself. */
  text: string;
  /** Blocks of the model's own thinking that were taken out; null: the thinking never ended. Absent: there was none. */
  ownThinking?: number | null;
  nPromptTokens: number;
  nTokens: number;
  tookMs: number;
};

/** Which pair of which round: every seed of the pair comes from here. */
export type Place = { experimentId: string; seed: number; stage: string; round: number; ordinal: number };

export type AskOptions = {
  /** Try number, from 0: picks the sampler's override and the seed. */
  attempt?: number;
  /** Tells calls of the same task in the same pair apart. */
  part?: string;
  /** Draws other seeds than the task's name would; absent: the task. */
  stream?: string;
  jsonSchema?: Record<string, unknown>;
};

/** `isUnclosed`: the model thought by itself and never came to its answer. */
export type Answer = { text: string; stopReason: "end_of_turn" | "stop_text" | "max_tokens"; isUnclosed: boolean };

/** One generation by a task of the prompt set; the text comes back trimmed, without what the model thought by itself. */
export type Ask = (task: string, values: Record<string, string>, options?: AskOptions) => Promise<Answer>;

export function createAsk(deps: {
  runner: ModelRunner;
  promptSet: PromptSet;
  role: Role;
  binding: ModelBinding;
  /** The set that thinking is asked for with; every other kind is the model's own. */
  markers: MarkerSet;
  place: Place;
  /** Every call is added here, in order. */
  calls: Call[];
  signal: AbortSignal;
}): Ask {
  const { place } = deps;
  return async (task, values, { attempt = 0, part = "", stream = task, jsonSchema } = {}) => {
    deps.signal.throwIfAborted();
    const seed = seedOf(
      place.experimentId,
      place.seed,
      place.stage,
      place.round,
      place.ordinal,
      stream + part,
      attempt,
    );
    const prompt = renderPrompt(deps.promptSet.task(task), values, seed, attempt);
    const request = { ...deps.binding, ...prompt, ...(jsonSchema ? { jsonSchema } : {}) };
    const result = await deps.runner.generate(request, () => {}, deps.signal);
    // a grammar leaves no room for it, and what stands in its texts is meant
    const { text, nBlocks, isUnclosed } = jsonSchema
      ? { text: result.text, nBlocks: 0, isUnclosed: false }
      : withoutOwnThinking(result.text, deps.markers);
    deps.calls.push({
      role: deps.role,
      task,
      part,
      attempt,
      sampler: prompt.sampler,
      promptSha256: createHash("sha256")
        .update(JSON.stringify([prompt.messages, prompt.prefill ?? ""]))
        .digest("hex"),
      text: result.text,
      ...(isUnclosed ? { ownThinking: null } : nBlocks > 0 ? { ownThinking: nBlocks } : {}),
      nPromptTokens: result.nPromptTokens,
      nTokens: result.nTokens,
      tookMs: result.tookMs,
    });
    return { text: text.trim(), stopReason: result.stopReason, isUnclosed };
  };
}

/** How many times a task may be tried: once, and once for each of its retries. */
export function nTries(promptSet: PromptSet, task: string): number {
  return 1 + (promptSet.task(task).retries?.length ?? 0);
}
