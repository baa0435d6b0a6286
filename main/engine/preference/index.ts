/**
 * Preference pairs (METHOD §3): `generate` makes them from the corpus, `filters` refuses with a counted reason, the store
 * is the ledger with provenance, `encode` gives token ids and masks for training, `exchange` reads and writes files.
 */
export { createPreference, type Preference } from "./create-preference.ts";
export { encodeMaskedPair, type MaskedPair } from "./encode/encode-pair.ts";
export { isDropping, maskProblems } from "./encode/mask-problems.ts";
export { describeLeftOut, type PairFile, readPairFile } from "./exchange/pair-file.ts";
export type { TokenPair } from "./exchange/read-pair.ts";
export { pairMessages } from "./encode/pair-messages.ts";
export type { PairCorpus } from "./generate/corpus-access.ts";
export { createLocate, type Locate, names } from "./generate/locate-statement.ts";
export type { PairWriter, ThinkingInput } from "./generate/pair-writer.ts";
export { type Passage, type Piece, spansIn } from "./generate/passage.ts";
export { asList, formatThinking, textsOf } from "./generate/thinking.ts";
export { copiesExamples, exampleStems, REFERS_TO_TEXT } from "./filters/wording.ts";
export { cosine, type Vector } from "./similarity.ts";
