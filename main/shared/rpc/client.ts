import type { CallOptions, Client, Contract } from "../contract/define.ts";
import { AppError, deserializeError } from "../errors.ts";
import { type DownFrame, isDownFrame, RPC_VERSION } from "./frames.ts";
import type { Port } from "./port.ts";

export type RpcClient<C extends Contract, E extends object> = {
  client: Client<C>;
  /** Returns the function that ends the subscription. */
  on<N extends keyof E & string>(name: N, listener: (payload: E[N]) => void): () => void;
  close(): void;
};

type Pending = {
  onFrame(frame: DownFrame): void;
  onGone(error: AppError): void;
};

/** A typed proxy over a port. When the port closes, every call in flight rejects with ENGINE_GONE. */
export function createRpcClient<C extends Contract, E extends object>(
  contract: C,
  port: Port,
  what = "engine",
): RpcClient<C, E> {
  const pending = new Map<number, Pending>();
  const listeners = new Map<string, Set<(payload: never) => void>>();
  let nextId = 1;
  let isGone = false;
  const gone = () => new AppError("ENGINE_GONE", `The ${what} has stopped`);

  port.onMessage((message) => {
    if (!isDownFrame(message)) return;
    if (message.v !== RPC_VERSION) return port.close();
    if (message.t === "event") {
      for (const listener of listeners.get(message.name) ?? []) listener(message.payload as never);
      return;
    }
    // Frames of a call that was cancelled here arrive late and mean nothing any more.
    pending.get(message.id)?.onFrame(message);
  });
  port.onClose(() => {
    isGone = true;
    const calls = [...pending.values()];
    pending.clear();
    for (const call of calls) call.onGone(gone());
  });

  function begin(method: string, input: unknown, handler: Pending, signal: AbortSignal | undefined): () => void {
    if (isGone) throw gone();
    signal?.throwIfAborted();
    const id = nextId++;
    const abort = () => {
      if (!pending.delete(id)) return;
      port.post({ v: RPC_VERSION, t: "cancel", id });
      handler.onGone(new AppError("CANCELLED", "Cancelled", { cause: signal?.reason }));
    };
    const finish = () => {
      pending.delete(id);
      signal?.removeEventListener("abort", abort);
    };
    pending.set(id, {
      onFrame: (frame) => {
        if (frame.t !== "next") finish();
        handler.onFrame(frame);
      },
      onGone: (error) => {
        finish();
        handler.onGone(error);
      },
    });
    signal?.addEventListener("abort", abort, { once: true });
    port.post({ v: RPC_VERSION, t: "call", id, method, input });
    return abort;
  }

  function call(method: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const handler: Pending = {
        onFrame: (frame) => {
          if (frame.t === "ok") resolve(frame.output);
          else if (frame.t === "err") reject(deserializeError(frame.error));
        },
        onGone: reject,
      };
      begin(method, input, handler, options.signal);
    });
  }

  async function* iterate(method: string, input: unknown, options: CallOptions = {}): AsyncGenerator {
    const queue: unknown[] = [];
    type State = "open" | "ended" | { error: AppError };
    let state = "open" as State; // changed by the callbacks below, which the compiler does not follow
    let wake = () => {};
    const handler: Pending = {
      onFrame: (frame) => {
        if (frame.t === "next") queue.push(frame.item);
        else state = frame.t === "err" ? { error: deserializeError(frame.error) } : "ended";
        wake();
      },
      onGone: (error) => {
        state = { error };
        wake();
      },
    };
    const abort = begin(method, input, handler, options.signal);
    try {
      for (;;) {
        while (queue.length > 0) yield queue.shift();
        if (state === "ended") return;
        if (typeof state === "object") throw state.error;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      if (state === "open") abort();
    }
  }

  const domains: Record<string, Record<string, unknown>> = {};
  for (const [domainName, domain] of Object.entries(contract)) {
    const methods: Record<string, unknown> = {};
    for (const [methodName, method] of Object.entries(domain)) {
      const name = `${domainName}.${methodName}`;
      const start = method.kind === "stream" ? iterate : call;
      methods[methodName] = (input: unknown, options?: CallOptions) => start(name, input, options);
    }
    domains[domainName] = methods;
  }

  return {
    client: domains as Client<C>,
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set);
      set.add(listener);
      return () => set.delete(listener);
    },
    close: () => port.close(),
  };
}
