import { MessageChannel } from "node:worker_threads";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { createSilentLogger } from "../../main/engine/lib/logger.ts";
import { createRpcServer, portOfMessagePort } from "../../main/engine/rpc/index.ts";
import { command, query, stream } from "../../main/shared/contract/define.ts";
import { AppError } from "../../main/shared/errors.ts";
import { createRpcClient } from "../../main/shared/rpc/client.ts";

const contract = {
  sum: {
    add: query({ input: z.strictObject({ a: z.number(), b: z.number() }), output: z.number() }),
    fail: command({ input: z.strictObject({}), output: z.object({}) }),
    hang: query({ input: z.strictObject({}), output: z.object({}) }),
    count: stream({ input: z.strictObject({ to: z.int() }), item: z.int() }),
  },
};
type Events = { "sum.changed": { n: number } };

const open: { close(): void }[] = [];
afterEach(() => {
  for (const end of open.splice(0)) end.close();
});

function connect() {
  const { port1, port2 } = new MessageChannel();
  const seen = { aborted: 0 };
  const server = createRpcServer(
    contract,
    {
      sum: {
        add: ({ a, b }) => a + b,
        fail: () => {
          throw new AppError("NOT_FOUND", "no such thing", { hint: "look elsewhere" });
        },
        hang: (_input, signal) =>
          new Promise((_, reject) =>
            signal.addEventListener("abort", () => ((seen.aborted += 1), reject(new Error()))),
          ),
        async *count({ to }, signal) {
          for (let i = 1; i <= to && !signal.aborted; i++) {
            yield i;
            await new Promise((resolve) => setImmediate(resolve));
          }
          if (signal.aborted) seen.aborted += 1;
        },
      },
    },
    { log: createSilentLogger(), checkOutputs: true },
  );
  server.serve(portOfMessagePort(port1));
  const rpc = createRpcClient<typeof contract, Events>(contract, portOfMessagePort(port2));
  open.push(rpc, server);
  return { ...rpc, server, seen, port1, port2 };
}

test("a call answers, and an input that does not fit the contract never reaches the handler", async () => {
  const { client } = connect();
  expect(await client.sum.add({ a: 1, b: 2 })).toBe(3);
  await expect(client.sum.add({ a: 1, b: "2" as never })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
});

test("an error keeps its code, message and hint across the port", async () => {
  const { client } = connect();
  await expect(client.sum.fail({})).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: "no such thing",
    hint: "look elsewhere",
  });
});

test("a method that is not in the contract is NOT_FOUND, also one of Object's own", async () => {
  const { port2 } = connect();
  const answers: { t: string; error?: { code: string } }[] = [];
  port2.on("message", (frame: (typeof answers)[number]) => answers.push(frame));
  for (const [id, method] of ["sum.nothing", "constructor.call", "sum.toString", "x"].entries()) {
    port2.postMessage({ v: 1, t: "call", id: 100 + id, method, input: {} });
  }
  await expect.poll(() => answers.map((frame) => frame.error?.code)).toEqual(Array(4).fill("NOT_FOUND"));
});

test("cancelling a call rejects it here and aborts its handler there", async () => {
  const { client, seen } = connect();
  const controller = new AbortController();
  const call = client.sum.hang({}, { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
  await expect.poll(() => seen.aborted).toBe(1);
});

test("a stream gives its items in order, and leaving the loop early aborts it", async () => {
  const { client, seen } = connect();
  const items: number[] = [];
  for await (const item of client.sum.count({ to: 5 })) items.push(item);
  expect(items).toEqual([1, 2, 3, 4, 5]);
  for await (const item of client.sum.count({ to: 1_000_000 })) if (item === 3) break;
  await expect.poll(() => seen.aborted).toBe(1);
});

test("calls in flight reject with ENGINE_GONE when the port closes, and later ones at once", async () => {
  const { client, port1 } = connect();
  const call = client.sum.hang({});
  port1.close();
  await expect(call).rejects.toMatchObject({ code: "ENGINE_GONE" });
  await expect(client.sum.add({ a: 1, b: 1 })).rejects.toMatchObject({ code: "ENGINE_GONE" });
});

test("events reach every listener until it is taken off", async () => {
  const { on, server } = connect();
  const seen: number[] = [];
  const off = on("sum.changed", ({ n }) => seen.push(n));
  server.broadcast("sum.changed", { n: 1 });
  await expect.poll(() => seen).toEqual([1]);
  off();
  server.broadcast("sum.changed", { n: 2 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toEqual([1]);
});

test("a peer of another version is cut off", async () => {
  const { port2 } = connect();
  const closed = new Promise((resolve) => port2.once("close", resolve));
  port2.postMessage({ v: 2, t: "call", id: 1, method: "sum.add", input: {} });
  await closed;
});

test("no frame, however odd, stops the server from answering the next call", async () => {
  const { client, port2 } = connect();
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.constantFrom("call", "cancel", "ok", "end", "?"), async (junk, t) => {
      port2.postMessage(junk);
      port2.postMessage({ v: 1, t, id: junk, method: junk, input: junk });
      expect(await client.sum.add({ a: 2, b: 2 })).toBe(4);
    }),
    { numRuns: 200 },
  );
});
