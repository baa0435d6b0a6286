import { existsSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { serveWindow, type ServedWindow } from "../../main/cli/serve.ts";
import { fileNameOf } from "../../main/cli/serve/uploads.ts";
import { encodeMessage, decodeMessage } from "../../main/shared/rpc/wire.ts";
import { createJobEngine, type JobEngine } from "./job-engine.ts";

const TOKEN = "the-token-of-this-test";
let root: string;
let served: ServedWindow;
let engine: JobEngine;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "serve-"));
  mkdirSync(join(root, "renderer", "assets"), { recursive: true });
  writeFileSync(join(root, "renderer", "index.html"), "<!doctype html><title>page</title>");
  writeFileSync(join(root, "renderer", "assets", "app.js"), "1");
  writeFileSync(join(root, "secret.txt"), "secret");
  mkdirSync(join(root, "workspace"));
  engine = createJobEngine();
  served = await serveWindow({
    engine,
    workspaceDir: join(root, "workspace"),
    rendererDir: join(root, "renderer"),
    port: 0,
    token: TOKEN,
    maxUploadBytes: 1000,
  });
});
afterEach(async () => {
  await served.close();
  rmSync(root, { recursive: true, force: true });
});

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

/** node:http rather than fetch: fetch does not let anybody forge Host. */
function ask(path: string, options: RequestOptions = {}, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port: served.port, path, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function login(): Promise<string> {
  const answer = await ask(`/?token=${TOKEN}`);
  const cookie = answer.headers["set-cookie"]?.[0] ?? "";
  expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
  return cookie.split(";")[0]!;
}

const origin = () => `http://127.0.0.1:${served.port}`;

describe("who gets in", () => {
  test("without cookie or token there is nothing to see, not even the page", async () => {
    for (const path of ["/", "/assets/app.js", "/?token=wrong", "/?token=", `/assets/app.js?token=${TOKEN}`])
      expect((await ask(path)).status, path).toBe(401);
  });

  test("the token gives a cookie of another value, and the cookie gives the page with the app's policy", async () => {
    const cookie = await login();
    expect(cookie).not.toContain(TOKEN);
    const page = await ask("/", { headers: { cookie } });
    expect(page.status).toBe(200);
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(page.headers["x-content-type-options"]).toBe("nosniff");
    expect(page.headers["referrer-policy"]).toBe("no-referrer");
  });

  test("a name that was rebound to this machine is refused, with cookie and token", async () => {
    const cookie = await login();
    for (const host of [
      "evil.example",
      `evil.example:${served.port}`,
      "127.0.0.1",
      `127.0.0.1.evil.example:${served.port}`,
    ])
      expect((await ask(`/?token=${TOKEN}`, { headers: { cookie, host } })).status, host).toBe(421);
    expect((await ask("/", { headers: { cookie, host: `localhost:${served.port}` } })).status).toBe(200);
  });

  test("a page of another port of this machine is refused, though cookies count it as the same site", async () => {
    const cookie = await login();
    for (const foreign of [
      "http://127.0.0.1:1",
      "http://localhost:5173",
      "null",
      "https://evil.example",
      `https://127.0.0.1:${served.port}`,
    ])
      expect((await ask("/", { headers: { cookie, origin: foreign } })).status, foreign).toBe(403);
  });

  test("what changes something needs an origin of its own", async () => {
    const cookie = await login();
    const upload = (headers: Record<string, string>) =>
      ask("/upload", { method: "POST", headers: { cookie, "x-file-name": "a.pdf", ...headers } }, "x");
    expect((await upload({})).status).toBe(403);
    expect((await upload({ origin: "http://evil.example" })).status).toBe(403);
    expect((await upload({ origin: origin() })).status).toBe(200);
  });

  test("it listens on loopback only", async () => {
    const { networkInterfaces } = await import("node:os");
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address && !address.internal && address.family === "IPv4");
    if (!outside) return;
    const error = await new Promise((resolve) =>
      connect(served.port, outside.address, () => resolve(null)).once("error", resolve),
    );
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("files", () => {
  test("nothing outside the page's folder, however it is written", async () => {
    const cookie = await login();
    const attempts = [
      "/../secret.txt",
      "/..%2fsecret.txt",
      "/%2e%2e/secret.txt",
      "/assets/../../secret.txt",
      "/assets/..%5c..%5csecret.txt",
      "/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
      "//etc/passwd",
      "/assets//app.js",
      "/C:%5cwindows%5cwin.ini",
      "/.git/config",
      "/assets/app.js%00.html",
      "/%E0%A4%A",
      "/assets",
      "/assets/",
    ];
    for (const path of attempts) {
      const answer = await ask(path, { headers: { cookie } });
      expect(answer.status, path).toBe(404);
      expect(answer.body, path).not.toContain("secret");
    }
    expect((await ask("/assets/app.js", { headers: { cookie } })).body).toBe("1");
  });

  test("other methods are refused", async () => {
    const cookie = await login();
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"])
      expect((await ask("/", { method, headers: { cookie, origin: origin() } })).status, method).toBe(405);
  });
});

describe("uploads", () => {
  const uploadsDir = () => join(root, "workspace", "uploads");

  async function upload(
    name: string | undefined,
    body: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const cookie = await login();
    const named: Record<string, string> = name === undefined ? {} : { "x-file-name": name };
    return ask("/upload", { method: "POST", headers: { cookie, origin: origin(), ...named, ...headers } }, body);
  }

  test("a file lands below workspace/uploads under its own name, whatever path the name claims", async () => {
    for (const [name, expected] of [
      ["paper.pdf", "paper.pdf"],
      [encodeURIComponent("Müller 2021 – Löslichkeit.pdf"), "Müller 2021 – Löslichkeit.pdf"],
      ["../../../etc/cron.d/x.pdf", "x.pdf"],
      ["..%2f..%2fx.pdf", "x.pdf"],
      ["C:\\Users\\x\\y.pdf", "y.pdf"],
      ["%2e%2e%5c%2e%2e%5cz.pdf", "z.pdf"],
      ["...hidden.pdf", "hidden.pdf"],
      ["a%00b%0ac.pdf", "a_b_c.pdf"],
    ] as const) {
      const answer = await upload(name, "bytes");
      const { path } = JSON.parse(answer.body) as { path: string };
      expect(path.startsWith(`${uploadsDir()}/`), name).toBe(true);
      expect(path.split("/").at(-1), name).toBe(expected);
      expect(readFileSync(path, "utf8")).toBe("bytes");
    }
  });

  test("a name that is none, and one that is missing", async () => {
    for (const name of [undefined, "..", "%2e%2e", "/", "."]) expect((await upload(name, "x")).status, name).toBe(400);
  });

  test("a long name keeps its ending and fits the file system", () => {
    const name = fileNameOf({ headers: { "x-file-name": encodeURIComponent(`${"ä".repeat(400)}.pdf`) } });
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
    expect(name.endsWith(".pdf")).toBe(true);
  });

  test("too much is refused by its announced length and, unannounced, while it comes; nothing stays on the disk", async () => {
    expect((await upload("a.pdf", Buffer.alloc(1001))).status).toBe(413);
    const chunked = await upload("a.pdf", Buffer.alloc(5000), { "transfer-encoding": "chunked" }).catch(() => ({
      status: 413,
    }));
    expect(chunked.status).toBe(413);
    expect(existsSync(uploadsDir()) ? readdirSync(uploadsDir()) : []).toEqual([]);
  });

  test("an uploaded file goes when its import succeeded, and stays for a retry when it failed", async () => {
    const paths: string[] = [];
    for (const name of ["a.pdf", "b.pdf"])
      paths.push((JSON.parse((await upload(name, "x")).body) as { path: string }).path);
    engine.endImport("failed", [paths[1]!]);
    engine.endImport("succeeded", [paths[0]!, join(root, "secret.txt")]);
    await expect.poll(() => existsSync(paths[0]!)).toBe(false);
    expect(existsSync(paths[1]!)).toBe(true);
    expect(existsSync(join(root, "secret.txt"))).toBe(true);
  });
});

describe("/rpc", () => {
  type Outcome = { socket: WebSocket | null; status: number };

  function open(headers: Record<string, string>, path = "/rpc"): Promise<Outcome> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${served.port}${path}`, { headers });
      socket.binaryType = "arraybuffer";
      socket.once("open", () => resolve({ socket, status: 101 }));
      socket.once("unexpected-response", (_request, response) =>
        resolve({ socket: null, status: response.statusCode ?? 0 }),
      );
      socket.once("error", () => resolve({ socket: null, status: 0 }));
    });
  }

  test("opens for its own page only", async () => {
    const cookie = await login();
    expect((await open({})).status).toBe(403);
    expect((await open({ cookie })).status).toBe(403);
    expect((await open({ cookie, origin: "http://evil.example" })).status).toBe(403);
    expect((await open({ origin: origin() })).status).toBe(401);
    expect((await open({ origin: origin(), cookie: `${cookie}x` })).status).toBe(401);
    expect((await open({ cookie, origin: "http://evil.example:80", host: "evil.example:80" })).status).toBe(421);
    expect((await open({ cookie, origin: origin() }, "/other")).status).toBe(404);
    expect((await open({ cookie, origin: origin() })).status).toBe(101);
  });

  test("carries calls of the contract and their answers", async () => {
    const { socket } = await open({ cookie: await login(), origin: origin() });
    const answer = new Promise<unknown>((resolve) =>
      socket!.once("message", (data) => resolve(decodeMessage(new Uint8Array(data as ArrayBuffer)))),
    );
    socket!.send(encodeMessage({ v: 1, t: "call", id: 1, method: "job.list", input: {} }));
    expect(await answer).toMatchObject({ t: "ok", id: 1, output: [] });
  });

  test("garbage ends the connection, not the server", async () => {
    const cookie = await login();
    for (const garbage of [Buffer.from([1, 2, 3]), Buffer.alloc(64, 0xff), "text", Buffer.alloc(0)]) {
      const { socket } = await open({ cookie, origin: origin() });
      const closed = new Promise((resolve) => socket!.once("close", resolve));
      socket!.send(garbage);
      await closed;
    }
    expect((await ask("/", { headers: { cookie } })).status).toBe(200);
  });
});

test("a window that was not built is a clear error", async () => {
  const starting = serveWindow({ engine, workspaceDir: root, rendererDir: join(root, "nowhere"), port: 0 });
  await expect(starting).rejects.toMatchObject({
    code: "NOT_FOUND",
    hint: expect.stringContaining("npm run build") as string,
  });
});

test("a port in use is a clear error", async () => {
  const starting = serveWindow({ engine, workspaceDir: root, rendererDir: join(root, "renderer"), port: served.port });
  await expect(starting).rejects.toMatchObject({ code: "CONFLICT" });
});
