/** The model, and therefore the space, that vectors belong to. Vectors of different spaces are never compared. */
export type EmbeddingSpace = {
  model: string;
  sha256: string;
  nDims: number;
  /** Longest text that is embedded whole, in the embedder's own tokens, special tokens included. */
  maxTokens: number;
};

export type Embedder = {
  space(): Promise<EmbeddingSpace>;
  /** Unit vectors, shape (n_texts, n_dims), in the order of the texts. Errors: EMBEDDER_UNAVAILABLE. */
  embed(texts: string[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** Number of the embedder's own tokens per text, special tokens not counted. */
  countTokens(texts: string[], signal?: AbortSignal): Promise<number[]>;
};
