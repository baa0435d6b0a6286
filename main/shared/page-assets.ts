/**
 * @file How the built window is served: the same rules for `app://bundle` in Electron and for `preflexor serve`.
 */

export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** For every answer. The referrer is withheld because an address may carry the token of `preflexor serve`. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  ico: "image/x-icon",
  woff2: "font/woff2",
  wasm: "application/wasm",
};

export function contentTypeOf(path: string): string {
  const extension = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  return Object.hasOwn(CONTENT_TYPES, extension) ? CONTENT_TYPES[extension]! : "application/octet-stream";
}

/**
 * The path below the page's folder that the path of an address names, with forward slashes; null for an address that
 * could lead out of it. Segments are judged after decoding, one by one, so there is no prefix to trick.
 */
export function assetPathOf(pathname: string): string | null {
  if (pathname === "/") return "index.html";
  const segments = pathname.slice(1).split("/").map(decodeSegment);
  return segments.every(isPlainName) ? segments.join("/") : null;
}

function decodeSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null; // a malformed escape
  }
}

/** No separators of any system, no drive letters, no hidden files, no way up. */
function isPlainName(segment: string | null): segment is string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
  return segment !== null && segment !== "" && !segment.startsWith(".") && !/[\\/:\u0000-\u001f]/.test(segment);
}
