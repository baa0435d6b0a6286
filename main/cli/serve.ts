import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { AppError } from "../shared/errors.ts";
import type { Port } from "../shared/rpc/port.ts";
import { createAccess, sendRefusal } from "./serve/access.ts";
import { serveRpc } from "./serve/rpc-socket.ts";
import { sendAsset } from "./serve/static-files.ts";
import { createUploads, type Uploads } from "./serve/uploads.ts";

export type ServeOptions = {
  engine: { serve(port: Port): void };
  workspaceDir: string;
  /** The built window: out/renderer. */
  rendererDir: string;
  /** 0 takes any free port. */
  port: number;
  /** Made at random when absent. */
  token?: string;
  maxUploadBytes?: number;
};

export type ServedWindow = {
  port: number;
  /** With the token: whoever knows this address has the whole program. */
  url: string;
  close(): Promise<void>;
};

const LOOPBACK = "127.0.0.1";
const MAX_UPLOAD_BYTES = 1024 ** 3;

/**
 * The window in a browser of the same machine: the built page, the engine's contract over a WebSocket, and uploads in
 * place of paths. Bound to loopback only; see [Note: serve access] for who gets in.
 */
export async function serveWindow(options: ServeOptions): Promise<ServedWindow> {
  const { rendererDir, workspaceDir, engine } = options;
  if (!existsSync(join(rendererDir, "index.html")))
    throw new AppError("NOT_FOUND", `The window has not been built: there is no ${join(rendererDir, "index.html")}`, {
      hint: "Build it with `npm run build`, then run the command again.",
    });
  const token = options.token ?? randomBytes(24).toString("base64url");
  const server = createServer();
  const port = await listen(server, options.port);
  const access = createAccess({ token, port });
  const uploads = await createUploads({ engine, workspaceDir, maxBytes: options.maxUploadBytes ?? MAX_UPLOAD_BYTES });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const refusal = access.judge(request);
    if (refusal) return sendRefusal(response, refusal);
    if (access.enter(request, response)) return;
    void route(request, response, rendererDir, uploads).catch(() => response.destroy());
  });
  const sockets = serveRpc({ server, engine, access });
  return {
    port,
    url: `http://${LOOPBACK}:${port}/?token=${token}`,
    async close() {
      sockets.close();
      await uploads.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function route(request: IncomingMessage, response: ServerResponse, rendererDir: string, uploads: Uploads) {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  if (request.method === "POST" && pathname === "/upload") return uploads.receive(request, response);
  if (request.method === "GET" || request.method === "HEAD") return sendAsset(request, response, rendererDir, pathname);
  sendRefusal(response, { status: 405, message: "This address takes no such request." });
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? inUse(port, error) : error),
    );
    server.listen({ host: LOOPBACK, port }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}

function inUse(port: number, cause: unknown): AppError {
  return new AppError("CONFLICT", `Port ${port} is in use`, {
    hint: "Choose another with --port, or leave it out to get a free one.",
    cause,
  });
}
