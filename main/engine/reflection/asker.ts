import { AppError } from "../../shared/errors.ts";
import { withoutOwnThinking } from "../../shared/own-thinking.ts";
import type { GenerateResult, ModelRunner } from "../inference/index.ts";
import { type PromptSet, renderPrompt } from "../asking/index.ts";
import { seedOf } from "../lib/random.ts";
import type { Part, TextStream } from "./text-stream.ts";
import type { Call, ReflectionPlan, Role } from "./types.ts";

/** What was made of a text: a value, or the reason why the text cannot be used. */
export type Reading<T> = { value: T } | { problem: string };
export type Values = Record<string, string>;

/** A generation and the beginning of the turn that it went on from. */
export type Written = GenerateResult & { prefill: string };

/** Puts tasks of the prompt sets to policy and critic, and keeps every call. */
export type Asker = {
  calls: Call[];
  /** What was taken out of the texts as the models' own thinking, in the words of an iteration's problems. */
  ownThinking: Set<"own_thinking_removed" | "own_thinking_unclosed">;
  promptSet(role: Role): PromptSet;
  /** A generation whose text is shown while it is written; again while it is empty and the task has retries. `stop` ends it before the given text. */
  write(role: Role, task: string, values: Values, part: Part, stop?: string[]): Promise<Written>;
  /** Tries until a text can be read, as often as the task has retries; null when none could. */
  askFor<T>(role: Role, task: string, values: Values, read: (text: string) => Reading<T>): Promise<T | null>;
};

export function createAsker(deps: {
  runner: ModelRunner;
  plan: ReflectionPlan;
  /** Part of every seed: calls of different iterations differ. */
  index: number;
  promptSets: Record<Role, PromptSet>;
  stream: TextStream;
  signal: AbortSignal;
}): Asker {
  const { plan, index, signal } = deps;
  const calls: Call[] = [];
  const ownThinking: Asker["ownThinking"] = new Set();

  async function generate(request: {
    role: Role;
    task: string;
    values: Values;
    attempt: number;
    onText: Parameters<ModelRunner["generate"]>[1];
    stop: string[];
  }): Promise<{ call: Call; result: GenerateResult }> {
    const { role, task, attempt } = request;
    signal.throwIfAborted();
    const voice = plan[role];
    const seed = seedOf("reflection", plan.seed, index, task, calls.length, attempt);
    const prompt = renderPrompt(deps.promptSets[role].task(task), request.values, seed, attempt);
    if (request.stop.length > 0) prompt.sampler.stop = [...(prompt.sampler.stop ?? []), ...request.stop];
    const binding = { modelPath: voice.model.path, adapterPath: voice.adapter?.path ?? null };
    const result = await deps.runner.generate({ ...binding, ...prompt }, request.onText, signal);
    const { text, nPromptTokens, nTokens, stopReason, tookMs } = result;
    const call: Call = {
      role,
      task,
      attempt,
      messages: prompt.messages,
      prefill: prompt.prefill ?? null,
      sampler: prompt.sampler,
      jsonSchema: prompt.jsonSchema ?? null,
      text,
      rejectedBecause: null,
      nPromptTokens,
      nTokens,
      stopReason,
      tookMs,
    };
    calls.push(call);
    return { call, result: prompt.jsonSchema ? result : withSpokenText(result) };
  }

  /** The call keeps all that was written; whoever asked gets what the model says. */
  function withSpokenText(result: GenerateResult): GenerateResult {
    const spoken = withoutOwnThinking(result.text, plan.markers);
    if (spoken.nBlocks > 0) ownThinking.add("own_thinking_removed");
    if (spoken.isUnclosed) ownThinking.add("own_thinking_unclosed");
    return { ...result, text: spoken.text };
  }

  const nTries = (role: Role, task: string) => 1 + (deps.promptSets[role].task(task).retries?.length ?? 0);

  return {
    calls,
    ownThinking,
    promptSet: (role) => deps.promptSets[role],
    async write(role, task, values, part, stop = []) {
      const onText = withoutRepeats((text) => deps.stream.push(part, text));
      for (let attempt = 0; ; attempt++) {
        const { call, result } = await generate({ role, task, values, attempt, onText, stop });
        if (result.text.trim() !== "" || attempt + 1 >= nTries(role, task))
          return { ...result, prefill: call.prefill ?? "" };
        call.rejectedBecause = "empty";
      }
    },
    async askFor(role, task, values, read) {
      for (let attempt = 0; attempt < nTries(role, task); attempt++) {
        const { call, result } = await generate({ role, task, values, attempt, onText: () => {}, stop: [] });
        const reading = read(result.text.trim());
        if ("value" in reading) return reading.value;
        call.rejectedBecause = reading.problem;
      }
      return null;
    },
  };
}

/** A generation that the host's death restarted writes the same text again (same seed): what was shown is not shown twice. */
function withoutRepeats(show: (text: string) => void): (text: string, isRestart?: boolean) => void {
  let nShown = 0;
  let nWritten = 0;
  return (text, isRestart = false) => {
    if (isRestart) nWritten = 0;
    const isNew = text.slice(Math.max(0, nShown - nWritten));
    nWritten += text.length;
    nShown = Math.max(nShown, nWritten);
    if (isNew !== "") show(isNew);
  };
}

/** For reading JSON that a grammar made: it parses unless the model ran out of tokens in the middle. */
export function readJson<T>(text: string, pick: (value: unknown) => Reading<T>): Reading<T> {
  try {
    return pick(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: "the JSON is not complete" };
    throw error;
  }
}

export function nothingUsable(role: Role, task: string): AppError {
  return new AppError("GENERATION_FAILED", `The ${role} wrote nothing usable for the task ${task}`, {
    hint: `Try a larger model as ${role}, or another seed. What was finished before is kept.`,
  });
}
