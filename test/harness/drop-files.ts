/** @file Files dragged from the desktop onto a page. */

import type { Page } from "@playwright/test";
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";

const DRAG_COPY = 1;

/**
 * Drops files and folders at a point of the page, in an Electron window or in Chromium.
 *
 * Through the DevTools protocol the browser itself makes the drag: the events are trusted, folders are folders, and in
 * Electron `webUtils.getPathForFile` knows the paths. A `File` made inside the page, Playwright's `locator.drop`
 * included, has an empty path.
 */
export async function dropFiles(page: Page, absolutePaths: string[], point: { x: number; y: number }): Promise<void> {
  for (const path of absolutePaths) {
    if (!isAbsolute(path)) throw new Error(`dropFiles needs absolute paths, not ${path}`);
    if (!existsSync(path)) throw new Error(`dropFiles: there is no ${path}`);
  }
  const session = await page.context().newCDPSession(page);
  try {
    const data = { items: [], files: absolutePaths, dragOperationsMask: DRAG_COPY };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      await session.send("Input.dispatchDragEvent", { type, ...point, data });
    }
  } finally {
    await session.detach();
  }
}
