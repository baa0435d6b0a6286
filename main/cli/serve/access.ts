import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { SECURITY_HEADERS } from "../../shared/page-assets.ts";

/**
 * [Note: serve access] Loopback keeps other machines out, not other programs and pages of this one. Three checks do:
 * 1. Host must be this server under a loopback name. A hostile site whose DNS name points to 127.0.0.1 (rebinding)
 *    sends its own name.
 * 2. Origin, where the browser sends one, must be this very server: another port of localhost counts as the same site
 *    for cookies, so a cookie alone would let any local page in. What changes something must have an Origin.
 * 3. The cookie, given in exchange for the token that was printed at the start. Its value is made for this run, and its
 *    name holds the port, because cookies do not tell ports apart.
 */
export type Access = {
  /** Null when the request may go on, which for a page without a cookie means to `enter`. */
  judge(request: IncomingMessage): Refusal | null;
  /** Answers a request that brings the token; false when there is nothing to answer. */
  enter(request: IncomingMessage, response: ServerResponse): boolean;
};

export type Refusal = { status: number; message: string };

export function createAccess({ token, port }: { token: string; port: number }): Access {
  const cookieName = `preflexor_${port}`;
  const cookieValue = randomBytes(24).toString("base64url");
  const hosts = new Set(["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${port}`));

  return {
    judge(request) {
      const { host = "", origin } = request.headers;
      if (!hosts.has(host.toLowerCase()))
        return { status: 421, message: "This server answers under its own address only." };
      const needsOrigin = request.method !== "GET" && request.method !== "HEAD";
      const isForeign = origin === undefined ? needsOrigin : origin !== `http://${host.toLowerCase()}`;
      if (isForeign) return { status: 403, message: "Requests from other pages are refused." };
      if (isSame(cookieOf(request, cookieName), cookieValue) || isSame(tokenOf(request), token)) return null;
      return { status: 401, message: "Open the address that `preflexor serve` printed; it holds the token." };
    },
    enter(request, response) {
      if (tokenOf(request) === null) return false;
      if (!isSame(tokenOf(request), token)) return false;
      response.writeHead(200, {
        ...SECURITY_HEADERS,
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "set-cookie": `${cookieName}=${cookieValue}; HttpOnly; SameSite=Strict; Path=/`,
      });
      // A redirect would be part of the navigation that another site may have started, which carries no strict cookie.
      response.end('<!doctype html><meta http-equiv="refresh" content="0; url=/"><title>PRefLexOR Studio</title>');
      return true;
    },
  };
}

export function sendRefusal(response: ServerResponse, { status, message }: Refusal): void {
  response.writeHead(status, { ...SECURITY_HEADERS, "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`${message}\n`);
}

/** The token counts on the start page only, so that it need not stand in any other address. */
function tokenOf(request: IncomingMessage): string | null {
  if (request.method !== "GET") return null;
  const url = new URL(request.url ?? "/", "http://localhost");
  return url.pathname === "/" ? url.searchParams.get("token") : null;
}

function cookieOf(request: IncomingMessage, name: string): string | null {
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name && value !== undefined) return value;
  }
  return null;
}

/** In constant time and for any length: the digests are compared. */
function isSame(given: string | null, expected: string): boolean {
  if (given === null) return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
