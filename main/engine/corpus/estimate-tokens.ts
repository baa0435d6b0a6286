/**
 * A count for when the embedder's tokenizer is not there: on the high side for English, so that chunks made with it
 * fit the window nearly always. It is replaced by the true count when the chunk is embedded.
 */
export function estimateTokens(text: string): number {
  let nTokens = 0;
  for (const [run] of text.matchAll(/[\p{L}\p{M}]+|\p{N}+|\S/gu))
    nTokens += Math.ceil(run.length / (/\p{N}/u.test(run) ? 2 : 4));
  return nTokens;
}
