import { MessageChannel } from "node:worker_threads";
import type { Embedder } from "../../main/engine/embedding/index.ts";
import { hostContract } from "../../main/engine/inference/host/contract.ts";
import type { GenerateRequest, HostProcess, ModelRunner, StartHost } from "../../main/engine/inference/index.ts";
import { createSilentLogger } from "../../main/engine/lib/logger.ts";
import { createRpcServer, portOfMessagePort } from "../../main/engine/rpc/index.ts";

/**
 * A model host without models: the real contract over a real port, with a scripted runner and a fake embedder behind it.
 * The engine cannot tell it from a process, down to its end.
 */
export function startScriptedHost(runner: ModelRunner, embedder: Embedder): StartHost {
  return (): HostProcess => {
    const { port1, port2 } = new MessageChannel();
    const port = portOfMessagePort(port1);
    const server = createRpcServer(hostContract, handlersOf(runner, embedder), { log: createSilentLogger() });
    server.serve(portOfMessagePort(port2));
    const exited = new Promise<{ code: number; signal: null }>((resolve) => {
      port2.once("close", () => resolve({ code: 0, signal: null }));
    });
    return { port, exited, kill: () => port.close() };
  };
}

function handlersOf(
  runner: ModelRunner,
  embedder: Embedder,
): Parameters<typeof createRpcServer<typeof hostContract>>[1] {
  return {
    host: {
      facts: async () => ({ ...(await runner.facts()), pid: process.pid }),
      use: async () => ({}),
      unload: async () => (await runner.unload(), {}),
    },
    chat: {
      async *generate(input, signal) {
        const texts: string[] = [];
        // the contract's parsed input has `| undefined` where the request says "absent"; a script minds neither
        const result = await runner.generate(input as GenerateRequest, (text) => void texts.push(text), signal);
        for (const text of texts) yield { kind: "text" as const, text };
        const { nPromptTokens, nTokens, stopReason, tookMs } = result;
        yield { kind: "end" as const, nPromptTokens, nTokens, stopReason, tookMs };
      },
      encodePair: (input, signal) => runner.encodePair(input, signal),
      logProbs: (input, signal) => runner.logProbs(input, signal),
    },
    embedding: {
      space: () => embedder.space(),
      // messages are copied, so whether a vector's memory could be shared plays no part
      embed: async ({ texts }, signal) => (await embedder.embed(texts, signal)) as Float32Array<ArrayBuffer>[],
      countTokens: ({ texts }, signal) => embedder.countTokens(texts, signal),
    },
  };
}
