import {
  type EngineClient,
  engineContract,
  type EngineEventName,
  type EngineEvents,
} from "../../main/shared/contract/index.ts";
import { AppError } from "../../main/shared/errors.ts";
import { createRpcClient, type RpcClient } from "../../main/shared/rpc/client.ts";
import type { Port } from "../../main/shared/rpc/port.ts";
import type { Transport } from "./transport.ts";

export type ConnectionStatus = "connecting" | "open" | "gone";

/** The engine as the window sees it: one client and one set of listeners over however many ports it takes. */
export type Engine = {
  kind: Transport["kind"];
  /** Throws ENGINE_GONE while there is no engine. */
  readonly client: EngineClient;
  on<N extends EngineEventName>(name: N, listener: (payload: EngineEvents[N]) => void): () => void;
  status(): ConnectionStatus;
  subscribe(listener: () => void): () => void;
  /** Starts the engine again where the window may do that, and tries to reach it. */
  reconnect(): Promise<void>;
};

type Rpc = RpcClient<typeof engineContract, EngineEvents>;
type AnyListener = (payload: never) => void;

export function connectEngine(transport: Transport): Engine {
  const listeners = new Map<EngineEventName, Set<AnyListener>>();
  const statusListeners = new Set<() => void>();
  let status: ConnectionStatus = "connecting";
  let rpc: Rpc | undefined;

  const setStatus = (next: ConnectionStatus) => {
    status = next;
    for (const listener of statusListeners) listener();
  };
  const forward = (target: Rpc, name: EngineEventName) => {
    target.on(name, (payload) => {
      if (target !== rpc) return;
      for (const listener of listeners.get(name) ?? []) listener(payload as never);
    });
  };

  transport.listen(
    (port: Port) => {
      const previous = rpc;
      const next: Rpc = createRpcClient<typeof engineContract, EngineEvents>(engineContract, port);
      rpc = next;
      previous?.close();
      for (const name of listeners.keys()) forward(next, name);
      port.onClose(() => {
        if (rpc === next) setStatus("gone");
      });
      setStatus("open");
    },
    () => setStatus("gone"),
  );
  transport.connect();

  return {
    kind: transport.kind,
    get client() {
      if (!rpc) throw new AppError("ENGINE_GONE", "The engine is not running");
      return rpc.client;
    },
    on(name, listener) {
      const set = listeners.get(name) ?? new Set<AnyListener>();
      if (!listeners.has(name)) {
        listeners.set(name, set);
        if (rpc) forward(rpc, name);
      }
      set.add(listener);
      return () => set.delete(listener);
    },
    status: () => status,
    subscribe(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    async reconnect() {
      // a browser only tries again, every few seconds: the banner must not blink each time
      if (!transport.restart) return transport.connect();
      setStatus("connecting");
      try {
        await transport.restart();
      } catch {
        setStatus("gone"); // the banner stays and offers to try again
      }
    },
  };
}
