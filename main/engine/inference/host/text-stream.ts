import type { LlamaModel, Token } from "node-llama-cpp";

const REPLACEMENT = "\uFFFD";
/** A UTF-8 character has at most four bytes, and a token at least one. */
const MAX_PENDING = 4;
const CONTEXT_TOKENS = 16;

/** Turns tokens into text as they come, holding back tokens that end within a character. */
export function createTextStream(
  model: LlamaModel,
  before: readonly Token[],
): { push(token: Token): string; end(): string } {
  const written = before.slice(-CONTEXT_TOKENS);
  let pending: Token[] = [];

  function flush(text: string): string {
    written.push(...pending);
    written.splice(0, Math.max(0, written.length - CONTEXT_TOKENS));
    pending = [];
    return text;
  }
  const decode = () => model.detokenize(pending, false, written);

  return {
    push(token) {
      pending.push(token);
      const text = decode();
      return text.endsWith(REPLACEMENT) && pending.length < MAX_PENDING ? "" : flush(text);
    },
    end: () => (pending.length === 0 ? "" : flush(decode())),
  };
}
