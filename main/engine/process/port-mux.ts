import type { EngineFrame } from "../../shared/engine-frames.ts";
import type { Port } from "../../shared/rpc/port.ts";

type OpenPort = { onMessage(message: unknown): void; onClose(): void };

/** Several ports over one stream of frames: for the transport whose channels cannot be handed over. */
export function createPortMux(post: (frame: EngineFrame) => void) {
  const open = new Map<number, OpenPort>();

  function closed(portId: number): void {
    const port = open.get(portId);
    open.delete(portId);
    port?.onClose();
  }

  return {
    open(portId: number): Port {
      const messageListeners = new Set<(message: unknown) => void>();
      const closeListeners = new Set<() => void>();
      // a window may call while the engine still opens its database and nobody listens yet
      const waiting: unknown[] = [];
      open.set(portId, {
        onMessage: (message) => {
          if (messageListeners.size === 0) waiting.push(message);
          for (const listener of messageListeners) listener(message);
        },
        onClose: () => closeListeners.forEach((listener) => listener()),
      });
      return {
        post: (message) => {
          if (open.has(portId)) post({ t: "port-data", portId, message });
        },
        onMessage: (listener) => {
          messageListeners.add(listener);
          for (const message of waiting.splice(0)) listener(message);
        },
        onClose: (listener) => void closeListeners.add(listener),
        close: () => {
          if (open.has(portId)) post({ t: "port-close", portId });
          closed(portId);
        },
      };
    },
    deliver(portId: number, message: unknown): void {
      open.get(portId)?.onMessage(message);
    },
    closed,
  };
}
