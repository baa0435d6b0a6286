import type { GenerateRequest, GenerateResult, ModelRunner } from "../../main/engine/inference/index.ts";

export type Reply = (request: GenerateRequest, nth: number) => string | Promise<string>;

/**
 * Stands in for the model of a reflection: `reply` writes the text of each call. Stop texts and the token limit (a word
 * is a token) work as in the real runner, and text comes in pieces.
 */
export function createScriptedReflector(reply: Reply): ModelRunner & { requests: GenerateRequest[] } {
  const requests: GenerateRequest[] = [];
  const notHere = () => Promise.reject(new Error("a reflection does not need this"));
  return {
    requests,
    async generate(request, onText, signal): Promise<GenerateResult> {
      signal?.throwIfAborted();
      requests.push(request);
      const whole = await reply(request, requests.length - 1);
      const cut = (request.sampler.stop ?? []).map((stop) => whole.indexOf(stop)).filter((index) => index >= 0);
      const stopped = cut.length > 0 ? whole.slice(0, Math.min(...cut)) : whole;
      const pieces = stopped.match(/\S+\s*|\s+/g) ?? [];
      const isCut = pieces.length > request.sampler.maxTokens;
      const text = pieces.slice(0, request.sampler.maxTokens).join("");
      for (const piece of pieces.slice(0, request.sampler.maxTokens)) {
        signal?.throwIfAborted();
        onText(piece);
      }
      const stopReason = isCut ? "max_tokens" : cut.length > 0 ? "stop_text" : "end_of_turn";
      return {
        text,
        nPromptTokens: 10,
        nTokens: Math.min(pieces.length, request.sampler.maxTokens),
        stopReason,
        tookMs: 1,
      };
    },
    facts: async () => ({ libraryVersion: "scripted", threads: 1 }),
    encodePair: notHere,
    logProbs: notHere,
    unload: async () => {},
  };
}
