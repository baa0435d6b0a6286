import type { Port } from "./port.ts";
import { decodeMessage, encodeMessage } from "./wire.ts";

/** What a browser's WebSocket and the one of the `ws` package have in common. */
export type SocketLike = {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: () => void): void;
};

const OPEN = 1;
const POLICY_VIOLATION = 1008;

/** Either end of a WebSocket; see [Note: wire format]. A message that cannot be read ends the connection. */
export function portOfWebSocket(socket: SocketLike): Port {
  socket.binaryType = "arraybuffer";
  return {
    post: (message) => {
      if (socket.readyState === OPEN) socket.send(encodeMessage(message));
    },
    onMessage: (listener) =>
      socket.addEventListener("message", (event) => {
        const frame = readFrame(event.data);
        if (frame === undefined) socket.close(POLICY_VIOLATION, "malformed message");
        else listener(frame.value);
      }),
    onClose: (listener) => socket.addEventListener("close", () => listener()),
    close: () => socket.close(),
  };
}

function readFrame(data: unknown): { value: unknown } | undefined {
  if (!(data instanceof ArrayBuffer)) return undefined;
  try {
    return { value: decodeMessage(new Uint8Array(data)) };
  } catch {
    return undefined; // the peer speaks another language; the caller ends the connection
  }
}
