/** Texts to unit vectors, the spaces they belong to, and the index that finds the nearest. */
export { embedWhole, middleOf, N_SPECIAL_TOKENS } from "./embed-whole.ts";
export type { Embedder, EmbeddingSpace } from "./embedder.ts";
export { createHostEmbedder } from "./host-embedder.ts";
export { ensureSpace, fromBlob, type StoredSpace, toBlob } from "./space-store.ts";
export { openVec0Index } from "./vec0-index.ts";
export type { VectorHit, VectorIndex } from "./vector-index.ts";
