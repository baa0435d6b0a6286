export { type Corpus, type CorpusApi, type CorpusDeps, createCorpus } from "./create-corpus.ts";
export { IMPORT_JOB } from "./import-job.ts";
export { DEFAULT_PDF_LIMITS, type PdfLimits } from "./pdf/limits.ts";
export type { NearChunk } from "./search.ts";
export type { ChunkSpan, WidenedChunk } from "./widen-chunk.ts";
