import { z } from "zod";
import type { Contract, Handlers, Method } from "../../shared/contract/define.ts";
import { AppError, serializeError } from "../../shared/errors.ts";
import { isUpFrame, RPC_VERSION, type UpFrame } from "../../shared/rpc/frames.ts";
import type { Port } from "../../shared/rpc/port.ts";
import type { Logger } from "../lib/logger.ts";

export type RpcServerOptions = {
  log: Logger;
  /** Parse outputs too: on in tests and development, off in a build where both sides are one. */
  checkOutputs?: boolean;
};

type AnyHandler = (input: unknown, signal: AbortSignal) => unknown;

const SLOW_CALL_MS = 200;

/** Serves a contract on any number of ports. Inputs are always parsed; nothing reaches a handler unchecked. */
export function createRpcServer<C extends Contract>(contract: C, handlers: Handlers<C>, options: RpcServerOptions) {
  const ports = new Set<Port>();

  function serve(port: Port): void {
    const running = new Map<number, AbortController>();
    ports.add(port);
    port.onMessage((message) => {
      if (!isUpFrame(message)) return options.log.warn({ scope: "rpc" }, "a malformed frame was dropped");
      if (message.v !== RPC_VERSION) return port.close();
      if (message.t === "cancel") return running.get(message.id)?.abort();
      if (running.has(message.id)) return options.log.warn({ scope: "rpc" }, "a call id in use was dropped");
      void answer(port, message, running);
    });
    port.onClose(() => {
      ports.delete(port);
      for (const controller of running.values()) controller.abort();
    });
  }

  async function answer(port: Port, frame: UpFrame & { t: "call" }, running: Map<number, AbortController>) {
    const { id, method: name } = frame;
    const controller = new AbortController();
    running.set(id, controller);
    const startedAt = performance.now();
    const post = (down: Record<string, unknown>) => {
      if (ports.has(port) && !controller.signal.aborted) port.post({ v: RPC_VERSION, id, ...down });
    };
    try {
      const { method, handler } = find(name);
      const input = parseInput(method, name, frame.input);
      if (method.kind === "stream") {
        for await (const item of handler(input, controller.signal) as AsyncIterable<unknown>) {
          if (controller.signal.aborted) return;
          post({ t: "next", item: options.checkOutputs ? method.item.parse(item) : item });
        }
        post({ t: "end" });
      } else {
        const output = await handler(input, controller.signal);
        post({ t: "ok", output: options.checkOutputs ? method.output.parse(output) : output });
      }
    } catch (error) {
      if (!(error instanceof AppError) && !controller.signal.aborted)
        options.log.error({ scope: "rpc", method: name, err: error }, "call failed");
      post({ t: "err", error: serializeError(error) });
    } finally {
      running.delete(id);
      const ms = performance.now() - startedAt;
      if (ms > SLOW_CALL_MS) options.log.debug({ scope: "rpc", method: name, ms: Math.round(ms) }, "slow call");
    }
  }

  function find(name: string): { method: Method; handler: AnyHandler } {
    const [domainName = "", methodName = ""] = name.split(".");
    const domain = Object.hasOwn(contract, domainName) ? contract[domainName] : undefined;
    const method = domain && Object.hasOwn(domain, methodName) ? domain[methodName] : undefined;
    if (!method) throw new AppError("NOT_FOUND", `There is no method ${name}`);
    const handler = (handlers as Record<string, Record<string, AnyHandler>>)[domainName]?.[methodName];
    if (!handler) throw new AppError("NOT_FOUND", `The method ${name} has no handler`);
    return { method, handler };
  }

  return {
    serve,
    broadcast(name: string, payload: unknown): void {
      for (const port of ports) port.post({ v: RPC_VERSION, t: "event", name, payload });
    },
    close(): void {
      for (const port of ports) port.close();
    },
  };
}

function parseInput(method: Method, name: string, input: unknown): unknown {
  const parsed = method.input.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new AppError("VALIDATION_FAILED", `${name}: ${z.prettifyError(parsed.error)}`, {
    details: { issues: parsed.error.issues },
  });
}
