import { app } from "electron";
import { APP_ORIGIN } from "./app-protocol.ts";
import { originOf } from "./security.ts";

export type PageLocation = { url: string; origin: string };

/** The built page; in development the address of Vite's server, which electron-vite passes on. Never in an installed program. */
export function findPage(): PageLocation {
  const developmentUrl = app.isPackaged ? undefined : process.env["ELECTRON_RENDERER_URL"];
  const url = developmentUrl ?? `${APP_ORIGIN}/`;
  return { url, origin: originOf(url) };
}
