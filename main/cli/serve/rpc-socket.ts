import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { STATUS_CODES } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import type { Port } from "../../shared/rpc/port.ts";
import { portOfWebSocket } from "../../shared/rpc/websocket-port.ts";
import type { Access, Refusal } from "./access.ts";

/** The largest frame of the contract that goes up is a list of 100,000 paths. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;
const PING_MS = 30_000;

/** The engine's contract on `/rpc`. A WebSocket is not bound by CORS: the checks of [Note: serve access] are all there is. */
export function serveRpc(options: { server: Server; engine: { serve(port: Port): void }; access: Access }): {
  close(): void;
} {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  options.server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on("error", () => stream.destroy());
    const refusal = judgeUpgrade(request, options.access);
    if (refusal) return refuse(stream, refusal);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      keepAlive(socket);
      options.engine.serve(portOf(socket));
    });
  });
  return {
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function judgeUpgrade(request: IncomingMessage, access: Access): Refusal | null {
  if (new URL(request.url ?? "/", "http://localhost").pathname !== "/rpc") return { status: 404, message: "" };
  // a page always sends its Origin with an upgrade, so its absence is no page
  if (request.headers.origin === undefined) return { status: 403, message: "" };
  return access.judge(request);
}

function portOf(socket: WebSocket): Port {
  socket.on("error", () => socket.terminate()); // too large or no WebSocket frame at all
  return portOfWebSocket(socket);
}

/** A laptop that slept leaves connections which nobody closes. */
function keepAlive(socket: WebSocket): void {
  let isAlive = true;
  socket.on("pong", () => (isAlive = true));
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_MS);
  socket.on("close", () => clearInterval(timer));
}

function refuse(stream: Duplex, { status }: Refusal): void {
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
