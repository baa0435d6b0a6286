import type {
  ControlledEvaluateIndexOutput,
  ControlledEvaluateInputItem,
  LlamaContextSequence,
  Token,
} from "node-llama-cpp";
import { AppError } from "../../../shared/errors.ts";
import type { ModelBinding, ScoredSequence } from "../model-runner.ts";
import type { ChatModels } from "./chat-model.ts";

/** Natural-log probability of every token from index `from` on, or of those at `positions`, given all before it. */
export async function logProbs(
  models: ChatModels,
  input: ModelBinding & { sequences: ScoredSequence[] },
  signal: AbortSignal,
): Promise<number[][]> {
  const { header, model } = await models.load(input.modelPath);
  const vocabulary = header.metadata.get("tokenizer.ggml.tokens");
  const nVocabulary = typeof vocabulary === "object" ? vocabulary.length : Infinity;
  for (const sequence of input.sequences) checkIds(sequence, nVocabulary, model.filename ?? input.modelPath);
  const longest = Math.max(1, ...input.sequences.map(({ ids }) => ids.length));
  const { batchTokens } = await models.library();
  const results: number[][] = [];
  for (const { ids, from, positions } of input.sequences) {
    // asked for anew each time: that clears it, so that no result depends on what was scored before
    const sequence = await models.sequence(input, longest, "exact");
    const wanted = positions ?? Array.from({ length: ids.length - from }, (_, i) => from + i);
    results.push(await scoreSequence(models, sequence, ids, wanted, batchTokens, signal));
  }
  return results;
}

function checkIds({ ids, from, positions = [] }: ScoredSequence, nVocabulary: number, modelName: string): void {
  if (from >= ids.length || positions.some((position) => position < from || position >= ids.length))
    throw new AppError("VALIDATION_FAILED", `There is no token from index ${from} on in a sequence of ${ids.length}`);
  const wrong = ids.find((id) => id >= nVocabulary);
  if (wrong !== undefined)
    throw new AppError(
      "VALIDATION_FAILED",
      `Token ${wrong} is not in the vocabulary of ${modelName} (${nVocabulary} tokens)`,
    );
}

async function scoreSequence(
  models: ChatModels,
  sequence: LlamaContextSequence,
  ids: number[],
  positions: number[],
  batchTokens: number,
  signal: AbortSignal,
): Promise<number[]> {
  const logps: number[] = [];
  const places = new Map(positions.map((position, place) => [position, place]));
  // the last token predicts nothing that is asked for
  for (let start = 0; start < ids.length - 1; start += batchTokens) {
    signal.throwIfAborted();
    const batch = ids.slice(start, Math.min(start + batchTokens, ids.length - 1));
    const items = batch.map((id, index): ControlledEvaluateInputItem => {
      const token = id as Token; // the library brands token ids
      return places.has(start + index + 1) ? [token, { generateNext: { probabilities: true } }] : token;
    });
    const onTokenResult = (index: number, { next }: ControlledEvaluateIndexOutput) => {
      const position = start + index + 1;
      const probabilities = next.probabilities;
      if (!probabilities) throw new Error("llama.cpp gave no probabilities");
      logps[places.get(position)!] = logProbOf(probabilities, ids[position]! as Token);
      // the library keeps every token's whole table until the end of the call otherwise
      probabilities.clear();
    };
    await models.withThreads("prompt", items.length, () => sequence.controlledEvaluate(items, { onTokenResult }));
  }
  return logps;
}

/**
 * The library divides by a sum that it takes in F32, which is off by up to 1e-3 over a large vocabulary. All the
 * probabilities share that factor, so dividing by their own sum in F64 takes it out again.
 */
export function logProbOf(probabilities: Map<Token, number>, token: Token): number {
  let sum = 0;
  for (const probability of probabilities.values()) sum += probability;
  return Math.log(probabilities.get(token) ?? 0) - Math.log(sum);
}
