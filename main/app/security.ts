import { app, session, shell, type WebContents } from "electron";
import type { Log } from "./log.ts";

/** Sites that a click may open in the user's own browser: where papers and models live. Everything else stays shut. */
const EXTERNAL_HOSTS = new Set(["doi.org", "dx.doi.org", "arxiv.org", "creativecommons.org", "huggingface.co"]);

/** Rules for every page that the program could ever show, made before the first one exists. */
export function guardWebContents(pageOrigin: string, log: Log): void {
  app.on("web-contents-created", (_event, contents) => guardContents(contents, pageOrigin, log));
}

function guardContents(contents: WebContents, pageOrigin: string, log: Log): void {
  contents.on("will-navigate", (event) => {
    if (originOf(event.url) === pageOrigin) return;
    event.preventDefault();
    log.warn({ scope: "security", origin: originOf(event.url) }, "a navigation was refused");
  });
  contents.on("will-redirect", (event) => {
    if (originOf(event.url) !== pageOrigin) event.preventDefault();
  });
  contents.on("will-attach-webview", (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    if (mayOpenOutside(url)) void shell.openExternal(url);
    else log.warn({ scope: "security", origin: originOf(url) }, "a new window was refused");
    return { action: "deny" };
  });
}

/** A page may write cleaned text to the clipboard, and has no other permission. */
export function denyPermissions(pageOrigin: string): void {
  const isAllowed = (permission: string, origin: string) =>
    permission === "clipboard-sanitized-write" && origin === pageOrigin;
  session.defaultSession.setPermissionRequestHandler((_contents, permission, callback, details) =>
    callback(isAllowed(permission, originOf(details.requestingUrl))),
  );
  session.defaultSession.setPermissionCheckHandler((_contents, permission, requestingOrigin) =>
    isAllowed(permission, originOf(requestingOrigin)),
  );
  session.defaultSession.setDevicePermissionHandler(() => false);
}

export function mayOpenOutside(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, port, hostname, username } = new URL(url);
  return protocol === "https:" && port === "" && username === "" && EXTERNAL_HOSTS.has(hostname);
}

/** "null" for what is no address. `URL.origin` is "null" for schemes that it does not know, hence by hand. */
export function originOf(url: string): string {
  if (!URL.canParse(url)) return "null";
  const { protocol, host } = new URL(url);
  return host ? `${protocol}//${host}` : "null";
}
