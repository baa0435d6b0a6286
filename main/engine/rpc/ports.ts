import type { ChildProcess } from "node:child_process";
import type { MessagePort } from "node:worker_threads";
import type { Port } from "../../shared/rpc/port.ts";

/** Between threads of one process, and between two halves of one test. */
export function portOfMessagePort(port: MessagePort): Port {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on("message", listener),
    onClose: (listener) => void port.once("close", listener),
    close: () => port.close(),
  };
}

/** The parent's end of a child forked with `serialization: "advanced"`. */
export function portOfChild(child: ChildProcess): Port {
  return {
    post: (message) => {
      if (child.connected) child.send(message as object, () => {});
    },
    onMessage: (listener) => void child.on("message", listener),
    onClose: (listener) => void child.once("disconnect", listener),
    close: () => {
      if (child.connected) child.disconnect();
    },
  };
}

/** The child's own end. */
export function portOfParent(): Port {
  return {
    post: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => {});
    },
    onMessage: (listener) => void process.on("message", listener),
    onClose: (listener) => void process.once("disconnect", listener),
    close: () => {
      if (process.connected) process.disconnect();
    },
  };
}

/** What Electron's MessagePortMain and parentPort have in common; typed here so that nothing needs electron. */
export type ElectronPort = {
  postMessage(message: unknown): void;
  on(event: "message", listener: (event: { data: unknown }) => void): unknown;
  on(event: "close", listener: () => void): unknown;
  start?(): void;
  close?(): void;
};

export function portOfElectron(port: ElectronPort): Port {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.on("message", (event) => listener(event.data));
      port.start?.();
    },
    onClose: (listener) => void port.on("close", listener),
    close: () => port.close?.(),
  };
}
