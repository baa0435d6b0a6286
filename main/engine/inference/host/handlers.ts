import type { Handlers } from "../../../shared/contract/define.ts";
import type { ChatMessage, GenerateRequest, Sampler } from "../model-runner.ts";
import { createChatModels } from "./chat-model.ts";
import type { HostContract } from "./contract.ts";
import { generate } from "./generate.ts";
import { logProbs } from "./log-probs.ts";
import type { createOnnxEmbedder } from "./onnx-embedder.ts";
import { createSerial } from "./serial.ts";

type OnnxEmbedder = Awaited<ReturnType<typeof createOnnxEmbedder>>;

/** What the model host does for each call of its contract. Models are used by one call at a time. */
export function createHostHandlers(): Handlers<HostContract> {
  const models = createChatModels();
  const serial = createSerial();
  const embedders = new Map<string, Promise<OnnxEmbedder>>();

  function embedder(modelDir: string): Promise<OnnxEmbedder> {
    const known = embedders.get(modelDir);
    if (known) return known;
    // imported late: a host that only chats never loads onnxruntime
    const made = import("./onnx-embedder.ts").then(({ createOnnxEmbedder }) => createOnnxEmbedder(modelDir));
    embedders.set(modelDir, made);
    made.catch(() => embedders.delete(modelDir));
    return made;
  }

  return {
    host: {
      async facts() {
        const { version, threads } = await models.library();
        return { libraryVersion: version, threads, pid: process.pid };
      },
      async use({ gpu }) {
        await serial(() => models.use(gpu));
        return {};
      },
      async unload() {
        await serial(() => models.unload());
        return {};
      },
    },
    chat: {
      generate: ({ chatTemplate, ...input }, signal) =>
        serialStream(serial, () => generate(models, toRequest(input), signal, chatTemplate), signal),
      encodePair: ({ modelPath, messages, chatTemplate, chosen, rejected }, signal) =>
        serial(
          async () => (await models.load(modelPath)).template(chatTemplate).encodePair(messages, chosen, rejected),
          signal,
        ),
      logProbs: (input, signal) => serial(() => logProbs(models, input, signal), signal),
    },
    embedding: {
      space: async ({ modelDir }) => (await embedder(modelDir)).space(),
      // messages are copied between processes, so whether a vector's memory could be shared plays no part
      embed: async ({ modelDir, texts }) =>
        (await (await embedder(modelDir)).embed(texts)) as Float32Array<ArrayBuffer>[],
      countTokens: async ({ modelDir, texts }) => (await embedder(modelDir)).countTokens(texts),
    },
  };
}

type GenerateInput = {
  modelPath: string;
  adapterPath: string | null;
  messages: ChatMessage[];
  prefill?: string | undefined;
  sampler: unknown;
  jsonSchema?: Record<string, unknown> | undefined;
};

/** zod types an absent key as possibly undefined; the request has no such keys. */
function toRequest({ prefill, jsonSchema, sampler, ...rest }: GenerateInput): GenerateRequest {
  return {
    ...rest,
    sampler: sampler as Sampler, // parsed by the contract, which differs only in the undefined above
    ...(prefill === undefined ? {} : { prefill }),
    ...(jsonSchema === undefined ? {} : { jsonSchema }),
  };
}

/** Holds the turn from the first item to the last one, or until the reader gives up. */
async function* serialStream<T>(
  serial: ReturnType<typeof createSerial>,
  start: () => AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const { promise: finished, resolve: release } = Promise.withResolvers<void>();
  const { promise: turn, resolve: begin } = Promise.withResolvers<void>();
  const whole = serial(async () => {
    begin();
    await finished;
  }, signal);
  try {
    await Promise.race([turn, whole]);
    yield* start();
  } finally {
    release();
  }
}
