import type { GenerateRequest, GenerateResult, ModelRunner } from "../../main/engine/inference/index.ts";

export type Script = (request: GenerateRequest, index: number) => string | Pick<GenerateResult, "text" | "stopReason">;

export type ScriptedRunner = ModelRunner & { requests: GenerateRequest[]; textOf(ids: number[]): string };

/** A model whose words are written by the test. Tokens are words with the space before them, and single line ends. */
export function createScriptedRunner(script: Script): ScriptedRunner {
  const requests: GenerateRequest[] = [];
  const vocabulary = [END_OF_TURN];
  const ids = (text: string) =>
    (text.match(/\n|[^\S\n]?\S+|[^\S\n]/g) ?? []).map((token) => {
      if (!vocabulary.includes(token)) vocabulary.push(token);
      return vocabulary.indexOf(token);
    });
  return {
    requests,
    textOf: (tokens) => tokens.map((id) => vocabulary[id]).join(""),
    async generate(request, onText, signal) {
      signal?.throwIfAborted();
      requests.push(structuredClone(request));
      const scripted = script(request, requests.length - 1);
      const { text, stopReason } =
        typeof scripted === "string" ? { text: scripted, stopReason: "end_of_turn" as const } : scripted;
      onText(text);
      return { text, stopReason, nPromptTokens: 1, nTokens: ids(text).length, tookMs: 0 };
    },
    encodePair: async ({ messages, chosen, rejected }) => ({
      prompt: ids(messages.map(({ content }) => content).join("\n")),
      chosen: [...ids(chosen), 0],
      rejected: [...ids(rejected), 0],
    }),
    logProbs: () => Promise.reject(new Error("a script has no probabilities")),
    facts: async () => ({ libraryVersion: "scripted", threads: 1 }),
    unload: async () => {},
  };
}

const END_OF_TURN = "<end>";
