import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { assetPathOf, contentTypeOf, SECURITY_HEADERS } from "../../shared/page-assets.ts";
import { sendRefusal } from "./access.ts";

/** A file of the built window; the same rules and headers as `app://bundle` has. */
export async function sendAsset(
  request: IncomingMessage,
  response: ServerResponse,
  rendererDir: string,
  pathname: string,
): Promise<void> {
  const asset = assetPathOf(pathname);
  const path = asset === null ? null : join(rendererDir, asset);
  const found = path === null ? undefined : await stat(path).catch(() => undefined);
  if (path === null || !found?.isFile())
    return sendRefusal(response, { status: 404, message: "There is no such file." });
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    "content-type": contentTypeOf(path),
    "content-length": found.size,
    // names in assets/ hold a hash of their content; the page itself must be the one of this build
    "cache-control": pathname.startsWith("/assets/") ? "private, max-age=31536000, immutable" : "no-store",
  });
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(path), response);
}
