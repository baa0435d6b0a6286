import { MessageChannel } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import {
  createModelHost,
  createModelRunner,
  type GenerateRequest,
  type HostProcess,
} from "../../../main/engine/inference/index.ts";
import { hostContract } from "../../../main/engine/inference/host/contract.ts";
import { createSilentLogger } from "../../../main/engine/lib/logger.ts";
import { createRpcServer, portOfMessagePort } from "../../../main/engine/rpc/index.ts";

type Behaviour = { diesAtCall: boolean; words: string[] };

/** A host process in memory: the real contract and server over a real port, without models. */
function fakeProcesses(behaviours: Behaviour[]) {
  const exits: (() => void)[] = [];
  let nAlive = 0;
  let maxAlive = 0;
  const startHost = (): HostProcess => {
    const behaviour = behaviours[Math.min(exits.length, behaviours.length - 1)]!;
    const { port1, port2 } = new MessageChannel();
    const { promise: exited, resolve } = Promise.withResolvers<{ code: number | null; signal: string | null }>();
    nAlive++;
    maxAlive = Math.max(maxAlive, nAlive);
    let isAlive = true;
    const die = () => {
      if (!isAlive) return;
      isAlive = false;
      port2.close();
      // an exit is seen a while after the port has closed
      setTimeout(() => {
        nAlive--;
        resolve({ code: null, signal: "SIGABRT" });
      }, 20);
    };
    exits.push(die);
    const never = () => new Promise<never>(() => {});
    const handlers = {
      host: {
        async facts() {
          if (!behaviour.diesAtCall) return { libraryVersion: "fake", threads: 1, pid: 1 };
          die();
          return await never();
        },
        use: () => ({}),
        unload: () => ({}),
      },
      chat: {
        async *generate() {
          for (const text of behaviour.words) yield { kind: "text" as const, text };
          if (behaviour.diesAtCall) {
            await new Promise((done) => setTimeout(done, 10));
            die();
            await never();
          }
          yield { kind: "end" as const, nPromptTokens: 1, nTokens: 2, stopReason: "end_of_turn" as const, tookMs: 1 };
        },
        encodePair: never,
        logProbs: never,
      },
      embedding: { space: never, embed: never, countTokens: never },
    };
    createRpcServer(hostContract, handlers, { log: createSilentLogger() }).serve(portOfMessagePort(port2));
    port1.once("close", die);
    return { port: portOfMessagePort(port1), exited, kill: die };
  };
  return { startHost, killLast: () => exits.at(-1)?.(), nStarted: () => exits.length, maxAlive: () => maxAlive };
}

const good: Behaviour = { diesAtCall: false, words: ["all ", "well"] };
const dying: Behaviour = { diesAtCall: true, words: ["half "] };
const request: GenerateRequest = {
  modelPath: "/models/tiny.gguf",
  adapterPath: null,
  messages: [{ role: "user", content: "?" }],
  sampler: { temperature: 0, seed: 1, maxTokens: 5 },
};

describe("the owner of the model host", () => {
  const hosts: { stop(): Promise<void> }[] = [];
  afterEach(() => Promise.all(hosts.splice(0).map((host) => host.stop())));

  function setUp(behaviours: Behaviour[], now?: () => number) {
    const processes = fakeProcesses(behaviours);
    const host = createModelHost({ startHost: processes.startHost, ...(now ? { now } : {}) });
    hosts.push(host);
    // one call to the owner; the runner would repeat one that died
    const ask = () => host.call("telling its version", (client) => client.host.facts({}));
    return { processes, host, runner: createModelRunner(host), ask };
  }

  it("starts at the first call, once for calls made together", async () => {
    const { processes, ask } = setUp([good]);
    expect(processes.nStarted()).toBe(0);
    await Promise.all([ask(), ask(), ask()]);
    expect(processes.nStarted()).toBe(1);
  });

  it("starts a successor only after the exit has been seen", async () => {
    const { processes, ask } = setUp([dying, dying, good]);
    const results = await Promise.allSettled([ask(), ask()]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await Promise.allSettled([ask()]);
    await ask();
    expect(processes.nStarted()).toBe(3);
    expect(processes.maxAlive()).toBe(1);
  });

  it("names what died and how", async () => {
    const { ask } = setUp([dying, good]);
    await expect(ask()).rejects.toMatchObject({
      code: "HOST_CRASHED",
      message: "The model host died (SIGABRT) while it was telling its version",
    });
  });

  it("a generation is repeated once, and its listener is told", async () => {
    const { processes, runner } = setUp([dying, good]);
    const heard: (string | null)[] = [];
    const result = await runner.generate(request, (text, isRestart) => heard.push(isRestart ? null : text));
    expect(result.text).toBe("all well");
    expect(heard).toEqual(["half ", null, "all ", "well"]);
    expect(processes.nStarted()).toBe(2);
  });

  it("a generation whose repetition dies, too, is rejected", async () => {
    const { processes, runner } = setUp([dying]);
    await expect(runner.generate(request, () => {})).rejects.toMatchObject({ code: "HOST_CRASHED" });
    expect(processes.nStarted()).toBe(2);
  });

  it("stays down after three deaths without an answer, and tries again after a while", async () => {
    let now = 0;
    const { processes, ask } = setUp([dying, dying, dying, good], () => now);
    for (let i = 0; i < 3; i++) await expect(ask()).rejects.toThrow("died (SIGABRT)");
    await expect(ask()).rejects.toThrow("died 3 times in a row");
    expect(processes.nStarted()).toBe(3);
    now = 31_000;
    expect((await ask()).libraryVersion).toBe("fake");
  });

  it("an answer in between closes the account", async () => {
    const { processes, ask } = setUp([dying, dying, good, dying, dying, good]);
    for (const isGood of [false, false, true])
      await ask().then(
        () => expect(isGood).toBe(true),
        () => expect(isGood).toBe(false),
      );
    processes.killLast();
    await new Promise((done) => setTimeout(done, 50));
    for (const isGood of [false, false, true])
      await ask().then(
        () => expect(isGood).toBe(true),
        () => expect(isGood).toBe(false),
      );
  });

  it("stop ends the process; what is in flight is cancelled, and a later call starts anew", async () => {
    const { host, processes, runner, ask } = setUp([good]);
    await ask();
    const hanging = runner.logProbs({ modelPath: "/m.gguf", adapterPath: null, sequences: [] });
    const outcome = expect(hanging).rejects.toMatchObject({ code: "CANCELLED" });
    await host.stop();
    await outcome;
    await ask();
    expect(processes.nStarted()).toBe(2);
  });
});
