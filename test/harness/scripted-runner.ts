import type { EncodedPair, GenerateRequest, GenerateResult, ModelRunner } from "../../main/engine/inference/index.ts";

export type Script = (request: GenerateRequest, index: number) => string | Pick<GenerateResult, "text" | "stopReason">;

/** A model whose words are written by the test. Tokens are code points; the end of a turn is token 1. */
export function createScriptedRunner(script: Script): ModelRunner & { requests: GenerateRequest[] } {
  const requests: GenerateRequest[] = [];
  return {
    requests,
    async generate(request, onText, signal) {
      signal?.throwIfAborted();
      requests.push(structuredClone(request));
      const scripted = script(request, requests.length - 1);
      const { text, stopReason } =
        typeof scripted === "string" ? { text: scripted, stopReason: "end_of_turn" as const } : scripted;
      onText(text);
      return { text, stopReason, nPromptTokens: 1, nTokens: text.length, tookMs: 0 };
    },
    encodePair: async ({ messages, chosen, rejected }) =>
      encode(messages.map(({ content }) => content).join("\n"), chosen, rejected),
    logProbs: () => Promise.reject(new Error("a script has no probabilities")),
    facts: async () => ({ libraryVersion: "scripted", threads: 1 }),
    unload: async () => {},
  };
}

const END_OF_TURN = 1;

function encode(prompt: string, chosen: string, rejected: string): EncodedPair {
  const ids = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);
  return { prompt: ids(prompt), chosen: [...ids(chosen), END_OF_TURN], rejected: [...ids(rejected), END_OF_TURN] };
}
