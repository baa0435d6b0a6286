import type { StudioBridge, EnginePortMessage } from "../../main/shared/studio.ts";
import type { Port } from "../../main/shared/rpc/port.ts";
import { portOfWebSocket } from "../../main/shared/rpc/websocket-port.ts";

declare global {
  interface Window {
    /** Present in the desktop window only. */
    studio?: StudioBridge;
  }
}

/** How the window gets a port to the engine. `onPort` may be called again at any time, with a port to a newer engine. */
export type Transport = {
  kind: "desktop" | "browser";
  listen(onPort: (port: Port) => void, onFailure: () => void): void;
  connect(): void;
  /** Absent where the window cannot start an engine itself. */
  restart?(): Promise<void>;
};

export function chooseTransport(): Transport {
  return window.studio ? desktopTransport(window.studio) : webSocketTransport();
}

const ANSWER_TIMEOUT_MS = 20_000;

function desktopTransport(studio: StudioBridge): Transport {
  let timer: number | undefined;
  let fail = () => {};
  const connect = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => fail(), ANSWER_TIMEOUT_MS);
    studio.connectEngine();
  };
  return {
    kind: "desktop",
    listen(onPort, onFailure) {
      fail = onFailure;
      window.addEventListener("message", (event: MessageEvent<unknown>) => {
        const [port] = event.ports;
        if (event.origin !== window.location.origin || !isEnginePortMessage(event.data) || !port) return;
        window.clearTimeout(timer);
        onPort(portOfDomPort(port));
      });
    },
    connect,
    async restart() {
      await studio.restartEngine();
      connect();
    },
  };
}

function webSocketTransport(): Transport {
  let onPort = (_port: Port) => {};
  let onFailure = () => {};
  return {
    kind: "browser",
    listen(portListener, failureListener) {
      onPort = portListener;
      onFailure = failureListener;
    },
    connect() {
      const url = new URL("rpc", window.location.href);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      url.hash = "";
      const socket = new WebSocket(url);
      let isOpen = false;
      socket.addEventListener("open", () => {
        isOpen = true;
        onPort(portOfWebSocket(socket));
      });
      socket.addEventListener("close", () => {
        if (!isOpen) onFailure();
      });
    },
  };
}

function portOfDomPort(port: MessagePort): Port {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.addEventListener("message", (event: MessageEvent<unknown>) => listener(event.data));
      port.start();
    },
    onClose: (listener) => port.addEventListener("close", () => listener(), { once: true }),
    close: () => port.close(),
  };
}

function isEnginePortMessage(data: unknown): data is EnginePortMessage {
  return typeof data === "object" && data !== null && "t" in data && data.t === "engine-port";
}
