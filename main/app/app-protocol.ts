import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { protocol } from "electron";
import { assetPathOf, contentTypeOf, SECURITY_HEADERS } from "../shared/page-assets.ts";

const SCHEME = "app";
const HOST = "bundle";

/** The origin of the window's page. */
export const APP_ORIGIN = `${SCHEME}://${HOST}`;

/** To be called before the app is ready: schemes get their privileges once. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves the built window from `rendererDir` and nothing else. `file:` has no place in this program. */
export function serveAppProtocol(rendererDir: string): void {
  protocol.handle(SCHEME, (request) => answer(rendererDir, request));
}

async function answer(rendererDir: string, request: Request): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(405);
  const url = new URL(request.url);
  const path = url.host === HOST ? assetPathOf(url.pathname) : null;
  if (path === null) return refuse(404);
  try {
    const bytes = await readFile(join(rendererDir, path));
    return new Response(new Uint8Array(bytes), {
      headers: { ...SECURITY_HEADERS, "content-type": contentTypeOf(path) },
    });
  } catch {
    return refuse(404); // absent, or a folder
  }
}

function refuse(status: number): Response {
  return new Response(null, { status, headers: SECURITY_HEADERS });
}
