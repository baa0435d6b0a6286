import { MessageChannel } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { linkOfPort } from "../../main/engine/process/shell-link.ts";
import { portOfMessagePort } from "../../main/engine/rpc/index.ts";
import type { EngineFrame, ShellFrame } from "../../main/shared/engine-frames.ts";
import type { Port } from "../../main/shared/rpc/port.ts";

/** The engine's side of the child transport, with the shell's frames written by hand. */
function connect() {
  const { port1, port2 } = new MessageChannel();
  const link = linkOfPort(portOfMessagePort(port1));
  const opened: Port[] = [];
  link.onPort((port) => opened.push(port));
  const said: EngineFrame[] = [];
  port2.on("message", (frame: EngineFrame) => said.push(frame));
  const say = (frame: ShellFrame) => port2.postMessage(frame);
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
  afterEach(() => port2.close());
  return { opened, said, say, settle };
}

describe("channels over frames", () => {
  test("what a window says before the engine listens is not lost, and comes in order", async () => {
    const { opened, say, settle } = connect();
    say({ t: "open-port", portId: 1 });
    for (const message of ["a", "b"]) say({ t: "port-data", portId: 1, message });
    await settle();
    const heard: unknown[] = [];
    opened[0]!.onMessage((message) => heard.push(message));
    say({ t: "port-data", portId: 1, message: "c" });
    await settle();
    expect(heard).toEqual(["a", "b", "c"]);
  });

  test("two windows hear their own answers only", async () => {
    const { opened, said, say, settle } = connect();
    say({ t: "open-port", portId: 1 });
    say({ t: "open-port", portId: 2 });
    await settle();
    opened[1]!.post("to the second");
    await settle();
    expect(said).toEqual([{ t: "port-data", portId: 2, message: "to the second" }]);
  });

  test("a closed channel closes once on both sides, and late data is dropped", async () => {
    const { opened, said, say, settle } = connect();
    say({ t: "open-port", portId: 1 });
    say({ t: "open-port", portId: 2 });
    await settle();
    let nClosed = 0;
    for (const port of opened) port.onClose(() => nClosed++);
    say({ t: "port-close", portId: 1 });
    say({ t: "port-data", portId: 1, message: "late" });
    await settle();
    opened[0]!.post("nobody hears this");
    opened[1]!.close();
    opened[1]!.close();
    await settle();
    expect(nClosed).toBe(2);
    expect(said).toEqual([{ t: "port-close", portId: 2 }]);
  });
});
