import { basename } from "node:path";
import { AppError } from "../../shared/errors.ts";
import type { Gpu } from "./host/contract.ts";
import type { ModelHost, ModelHostClient } from "./model-host.ts";
import { repeatAfterCrash } from "./repeat-after-crash.ts";
import type { GenerateRequest, GenerateResult, ModelBinding, ModelRunner } from "./model-runner.ts";

/**
 * Drives the models in the host, on the device that `chooseGpu` names before each call. A generation is pure, so one
 * that died with the host is asked for once more; its listener is told that the text so far no longer counts. A second
 * death reaches the caller.
 */
export function createModelRunner(
  host: ModelHost,
  chooseGpu: () => Promise<Gpu> = async () => false,
  templateOf: (modelPath: string) => string | undefined = () => undefined,
): ModelRunner {
  /** The template that the user gave for a model, instead of its own. */
  const withTemplate = <T extends { modelPath: string }>(input: T): T & { chatTemplate?: string } => {
    const chatTemplate = templateOf(input.modelPath);
    return chatTemplate === undefined ? input : { ...input, chatTemplate };
  };
  const twice = <T>(doing: string, signal: AbortSignal | undefined, run: (client: ModelHostClient) => Promise<T>) =>
    repeatAfterCrash(
      () =>
        host.call(doing, async (client) => {
          await client.host.use({ gpu: await chooseGpu() });
          return await run(client);
        }),
      signal,
    );

  return {
    async generate(request, onText, signal) {
      const doing = `generating text with ${nameOf(request)}`;
      let isRepeated = false;
      return await twice(doing, signal, (client) => {
        if (isRepeated) onText("", true);
        isRepeated = true;
        return generateOnce(client, withTemplate(request), onText, signal);
      });
    },
    encodePair: (input, signal) =>
      twice(`encoding a pair with ${basename(input.modelPath)}`, signal, (client) =>
        client.chat.encodePair(withTemplate(input), withSignal(signal)),
      ),
    logProbs: (input, signal) =>
      twice(`scoring ${input.sequences.length} sequences with ${nameOf(input)}`, signal, (client) =>
        client.chat.logProbs(input, withSignal(signal)),
      ),
    facts: () =>
      twice("telling its version", undefined, async (client) => {
        const { libraryVersion, threads } = await client.host.facts({});
        return { libraryVersion, threads };
      }),
    async unload() {
      await host.call("unloading the models", (client) => client.host.unload({}));
    },
  };
}

async function generateOnce(
  client: ModelHostClient,
  request: GenerateRequest,
  onText: (text: string) => void,
  signal: AbortSignal | undefined,
): Promise<GenerateResult> {
  let whole = "";
  for await (const item of client.chat.generate(request, withSignal(signal))) {
    if (item.kind === "text") {
      whole += item.text;
      onText(item.text);
      continue;
    }
    const { nPromptTokens, nTokens, stopReason, tookMs } = item;
    return { text: whole, nPromptTokens, nTokens, stopReason, tookMs };
  }
  throw new AppError("GENERATION_FAILED", "The model host ended a generation without a result");
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

function nameOf({ modelPath, adapterPath }: ModelBinding): string {
  return adapterPath === null ? basename(modelPath) : `${basename(modelPath)} and ${basename(adapterPath)}`;
}
