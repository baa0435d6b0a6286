/** Papers (METHOD §3.1 and §3.3): reading, page-true text, chunks that fit the embedder, and search by meaning and by words. */
export { type Corpus, type CorpusApi, type CorpusDeps, createCorpus } from "./create-corpus.ts";
export { IMPORT_JOB } from "./import-job.ts";
export { DEFAULT_PDF_LIMITS, type PdfLimits } from "./readers/pdf/limits.ts";
export type { NearChunk } from "./search.ts";
export type { ChunkSpan, WidenedChunk } from "./widen-chunk.ts";
