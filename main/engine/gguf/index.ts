/** Reads GGUF files: header, metadata, tensors, and whether an adapter fits a model. */
export { checkAdapterFits, type GgufAdapter, readAdapter } from "./adapter.ts";
export { arrayLengthOf, countParameters, numberOf, textOf } from "./metadata.ts";
export { type GgufHeader, type GgufTensor, readGgufHeader } from "./read-header.ts";
