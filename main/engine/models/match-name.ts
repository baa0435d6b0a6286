/** Q4_K_M, IQ3_XS, F16, BF16, MXFP4 … as they end a file's name. */
const QUANTISATION = /[-._](i?q\d\w*|tq\d\w*|bf16|f16|f32|fp16|fp32|mxfp4|nvfp4)$/;

/**
 * Those that a name can mean: the same in other letters, with or without the ending of a file; else the same model in
 * whatever quantisation. A name that says a quantisation means no other.
 */
export function matchName<T extends { name: string }>(wanted: string, models: readonly T[]): T[] {
  const plain = normalise(wanted);
  const exact = models.filter(({ name }) => normalise(name) === plain);
  if (exact.length > 0 || QUANTISATION.test(plain)) return exact;
  return models.filter(({ name }) => normalise(name).replace(QUANTISATION, "") === plain);
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/\.gguf$/, "");
}
