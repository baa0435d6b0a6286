import {
  LlamaGrammarEvaluationState,
  type LlamaContextSequence,
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
} from "node-llama-cpp";
import { AppError } from "../../../shared/errors.ts";
import type { GenerateRequest, GenerateResult, Sampler } from "../model-runner.ts";
import type { ChatModels } from "./chat-model.ts";
import { createStopTexts } from "./stop-texts.ts";
import { createTextStream } from "./text-stream.ts";

export type GenerateItem = { kind: "text"; text: string } | ({ kind: "end" } & Omit<GenerateResult, "text">);

const REPEAT_PENALTY_TOKENS = 64;
/** What node-llama-cpp's JSON grammars end with; JSON itself never holds an empty line. */
const JSON_END = "\n\n\n\n";

/** Text as it comes, then one end item. LlamaCompletion is not used: it adds a second BOS and drops DRY. */
export async function* generate(
  models: ChatModels,
  request: GenerateRequest,
  signal: AbortSignal,
  chatTemplate?: string,
): AsyncGenerator<GenerateItem> {
  const startedAt = performance.now();
  const { sampler } = request;
  const { model, template } = await models.load(request.modelPath);
  const prompt = template(chatTemplate).encodePrompt(request.messages, request.prefill);
  const sequence = await models.sequence(request, prompt.length + sampler.maxTokens, "chat");
  const { batchTokens } = await models.library();
  const lastBatch = await evaluatePrompt(models, sequence, prompt, batchTokens, signal);

  const texts = createTextStream(model, prompt);
  const stops = createStopTexts([...(sampler.stop ?? []), ...(request.jsonSchema ? [JSON_END] : [])]);
  const generated: Token[] = [];
  const options = evaluateOptions(sampler, generated);
  if (request.jsonSchema) options.grammarEvaluationState = await jsonGrammar(model, request.jsonSchema);
  let stopReason: GenerateResult["stopReason"] = "max_tokens";
  for await (const token of evaluateTimed(models, sequence, lastBatch, options)) {
    signal.throwIfAborted();
    if (model.isEogToken(token)) {
      stopReason = "end_of_turn";
      break;
    }
    generated.push(token);
    const { text, isStopped } = stops.push(texts.push(token));
    if (text !== "") yield { kind: "text", text };
    if (isStopped) {
      stopReason = request.jsonSchema ? "end_of_turn" : "stop_text";
      break;
    }
    if (generated.length >= sampler.maxTokens) break;
  }
  if (stopReason !== "stop_text") {
    const { text } = stops.push(texts.end());
    const rest = text + (request.jsonSchema ? "" : stops.end());
    if (rest !== "") yield { kind: "text", text: rest };
  }
  const tookMs = Math.round(performance.now() - startedAt);
  yield { kind: "end", nPromptTokens: prompt.length, nTokens: generated.length, stopReason, tookMs };
}

/** Evaluates all but the last batch, looking at the signal between batches; the last one starts the sampling. */
async function evaluatePrompt(
  models: ChatModels,
  sequence: LlamaContextSequence,
  prompt: Token[],
  batchTokens: number,
  signal: AbortSignal,
): Promise<Token[]> {
  let start = 0;
  for (; prompt.length - start > batchTokens; start += batchTokens) {
    signal.throwIfAborted();
    const batch = prompt.slice(start, start + batchTokens);
    await models.withThreads("prompt", batch.length, () => sequence.evaluateWithoutGeneratingNewTokens(batch));
  }
  signal.throwIfAborted();
  return prompt.slice(start);
}

/** The tokens of `sequence.evaluate`, each with as many threads as suit it. */
async function* evaluateTimed(
  models: ChatModels,
  sequence: LlamaContextSequence,
  lastBatch: Token[],
  options: SequenceEvaluateOptions,
): AsyncGenerator<Token> {
  const tokens = sequence.evaluate(lastBatch, options);
  try {
    let next = await models.withThreads("prompt", lastBatch.length, () => tokens.next());
    while (!next.done) {
      yield next.value;
      next = await models.withThreads("token", 1, () => tokens.next());
    }
  } finally {
    await tokens.return();
  }
}

/** The library's own defaults (top-k 40, top-p 0.95) are switched off unless asked for. */
function evaluateOptions(sampler: Sampler, generated: Token[]): SequenceEvaluateOptions {
  const { repeatPenalty = 1, dry } = sampler;
  return {
    temperature: sampler.temperature,
    topK: sampler.topK ?? 0,
    topP: sampler.topP ?? 1,
    minP: sampler.minP ?? 0,
    seed: sampler.seed,
    yieldEogToken: true,
    ...(repeatPenalty === 1
      ? {}
      : {
          repeatPenalty: {
            penalty: repeatPenalty,
            punishTokens: () => generated.slice(-REPEAT_PENALTY_TOKENS),
            maxPunishTokens: REPEAT_PENALTY_TOKENS,
          },
        }),
    // without a count of tokens to look back at, this release of llama.cpp leaves DRY off
    ...(dry ? { dryRepeatPenalty: { ...dry, lastTokens: sampler.maxTokens } } : {}),
  };
}

async function jsonGrammar(model: LlamaModel, schema: Record<string, unknown>): Promise<LlamaGrammarEvaluationState> {
  try {
    // the library's schema type is a closed union; an unknown keyword is refused by the library itself
    const grammar = await model.llama.createGrammarForJsonSchema(schema as never);
    return new LlamaGrammarEvaluationState({ model, grammar });
  } catch (cause) {
    throw new AppError("VALIDATION_FAILED", `The JSON schema cannot become a grammar: ${(cause as Error).message}`, {
      cause,
    });
  }
}
