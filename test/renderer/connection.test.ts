import { MessageChannel } from "node:worker_threads";
import { describe, expect, it, vi } from "vitest";
import { createSilentLogger } from "../../main/engine/lib/logger.ts";
import { createRpcServer, portOfMessagePort } from "../../main/engine/rpc/index.ts";
import { engineContract, type EngineHandlers } from "../../main/shared/contract/index.ts";
import type { Port } from "../../main/shared/rpc/port.ts";
import { connectEngine } from "../../renderer/engine/connection.ts";
import type { Transport } from "../../renderer/engine/transport.ts";

/** A shell whose engines can be started and ended at will. */
function createShell() {
  let give = (_port: Port) => {};
  const transport: Transport = {
    kind: "desktop",
    listen: (onPort) => (give = onPort),
    connect: () => {},
    restart: async () => startEngine("second"),
  };
  const servers: ReturnType<typeof createRpcServer>[] = [];
  function startEngine(dir: string) {
    const status = { dir, version: "1", nDocuments: 0, nChunks: 0, nModels: 0, nPairs: 0, nReflections: 0 };
    const handlers = {
      workspace: {
        status: () => ({ ...status, isEmbedderPresent: true, isTrainerPresent: true, sampleCorpusAvailable: true }),
      },
    };
    const server = createRpcServer(engineContract, handlers as unknown as EngineHandlers, {
      log: createSilentLogger(),
    });
    const { port1, port2 } = new MessageChannel();
    server.serve(portOfMessagePort(port1));
    servers.push(server);
    give(portOfMessagePort(port2));
  }
  return { transport, startEngine, newest: () => servers.at(-1)! };
}

describe("the window's connection", () => {
  it("goes on over a new engine with the same client and the same listeners", async () => {
    const shell = createShell();
    const engine = connectEngine(shell.transport);
    const heard = vi.fn();
    engine.on("graph.changed", heard);
    expect(engine.status()).toBe("connecting");
    expect(() => engine.client).toThrow("not running");

    shell.startEngine("first");
    expect(engine.status()).toBe("open");
    expect((await engine.client.workspace.status({})).dir).toBe("first");

    shell.newest().close();
    await vi.waitFor(() => expect(engine.status()).toBe("gone"));
    await expect(engine.client.workspace.status({})).rejects.toMatchObject({ code: "ENGINE_GONE" });

    await engine.reconnect();
    expect((await engine.client.workspace.status({})).dir).toBe("second");
    shell.newest().broadcast("graph.changed", {});
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1));
    shell.newest().close();
  });
});
