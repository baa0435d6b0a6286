/** A model and, if any, the adapter laid over it. Paths are absolute. */
export type ModelBinding = { modelPath: string; adapterPath: string | null };

export type ChatMessage = { role: "system" | "user" | "assistant"; content: string };

/** Everything that decides which token comes next. Recorded with every generation. */
export type Sampler = {
  /** 0 is greedy. */
  temperature: number;
  topK?: number;
  topP?: number;
  minP?: number;
  seed: number;
  /** 1 is off, which is the default here: llama.cpp's wrappers often have it on. */
  repeatPenalty?: number;
  /** DRY repetition penalty; off when absent. */
  dry?: { strength: number; allowedLength: number };
  maxTokens: number;
  /** Generation ends before any of these texts. */
  stop?: string[];
};

export type GenerateRequest = ModelBinding & {
  messages: ChatMessage[];
  /** The beginning of the model's own turn, which it goes on from. Not repeated in the result. */
  prefill?: string;
  sampler: Sampler;
  /** JSON by grammar: the result's text parses and fits this JSON schema, unless it ended with max_tokens. */
  jsonSchema?: Record<string, unknown>;
};

export type GenerateResult = {
  text: string;
  nPromptTokens: number;
  nTokens: number;
  stopReason: "end_of_turn" | "stop_text" | "max_tokens";
  tookMs: number;
};

/** Token ids of a preference pair, as the trainer reads them: both responses end with the model's end-of-turn token. */
export type EncodedPair = { prompt: number[]; chosen: number[]; rejected: number[] };

/** With `positions` (indices from `from` on, rising) only these tokens are scored, which takes less time. */
export type ScoredSequence = { ids: number[]; from: number; positions?: number[] | undefined };

/**
 * What a replay must know about where a generation ran: the version names the instruction sets of the CPU library.
 * `threads` are the most that were used; texts do not depend on them, see [Note: threads].
 */
export type RunnerFacts = { libraryVersion: string; threads: number };

/**
 * [Note: one renderer] The model's own chat template (from the GGUF) makes the tokens of training pairs and of
 * inference, in one function in the model host: control parts with special-token parsing, contents without it.
 */
export type ModelRunner = {
  /**
   * `isRestart` says that the text given so far no longer counts: the model host died and the generation begins anew.
   * Errors: MODEL_NOT_FOUND, MODEL_INVALID, MODEL_INCOMPATIBLE, ADAPTER_INVALID, CONTEXT_OVERFLOW, OUT_OF_MEMORY,
   * HOST_CRASHED, CANCELLED.
   */
  generate(
    request: GenerateRequest,
    onText: (text: string, isRestart?: boolean) => void,
    signal?: AbortSignal,
  ): Promise<GenerateResult>;
  encodePair(
    input: { modelPath: string; messages: ChatMessage[]; chosen: string; rejected: string },
    signal?: AbortSignal,
  ): Promise<EncodedPair>;
  /** Natural-log probability of every token from index `from` (at least 1) on, given all tokens before it. */
  logProbs(input: ModelBinding & { sequences: ScoredSequence[] }, signal?: AbortSignal): Promise<number[][]>;
  facts(): Promise<RunnerFacts>;
  /** Frees the models, so that training can have the device. */
  unload(): Promise<void>;
};
