import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { runApp } from "../harness/launch-app.ts";
import { dropFiles } from "../harness/drop-files.ts";
import { expectPagePainted } from "./support/painted.ts";
import { launchStudio, type Studio } from "./support/electron-studio.ts";
import { rootDir, screenshotsDir, shortPaper } from "./support/project.ts";

/** The whole way of a paper in a real window: real drop, real engine, real embedder. */
test.describe.configure({ mode: "serial" });

let studio: Studio;
let folder: string;

const launch = () => launchStudio({ workspaceDir: join(folder, "workspace"), userDataDir: join(folder, "user-data") });

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "e2e-window-"));
  studio = await launch();
});
test.afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("the page has the bridge and nothing of Node or Electron", async () => {
  const { page } = studio;
  expect(page.url()).toMatch(/^app:\/\/bundle\//);
  const names = ["require", "process", "module", "Buffer", "ipcRenderer", "electron"];
  expect(await page.evaluate(`${JSON.stringify(names)}.filter((name) => name in window)`)).toEqual([]);
  const bridge = await page.evaluate("Object.keys(window.studio).sort()");
  expect(bridge).toEqual(["connectEngine", "openFiles", "pathForFile", "platform", "restartEngine", "revealPath"]);
});

test("a paper dropped on the window becomes ready, is found, and opens at the marked passage", async () => {
  const { page, workspaceDir } = studio;
  await expect(page.getByText("Turn your papers into a small reasoning model")).toBeVisible();
  await dropFiles(page, [shortPaper], { x: 640, y: 400 });

  const row = page.getByRole("table", { name: "Documents" }).getByRole("row").nth(1);
  await expect(row.getByText("Ready", { exact: true })).toBeVisible({ timeout: 120_000 });
  expect(readdirSync(join(workspaceDir, "documents"))).toHaveLength(1);

  await page.keyboard.press("/");
  await page.keyboard.type("hyperelastic material models");
  const hit = page.locator("[data-hit]").first();
  await expect(hit).toBeVisible({ timeout: 60_000 });
  await hit.click();

  const mark = page.locator("[data-highlight]").first();
  await expect(mark).toBeVisible({ timeout: 60_000 });
  const [markBox, pageBox] = [await mark.boundingBox(), await page.locator("[data-page]", { has: mark }).boundingBox()];
  expect(markBox!.x).toBeGreaterThan(pageBox!.x);
  expect(markBox!.x + markBox!.width).toBeLessThan(pageBox!.x + pageBox!.width);
  await expectPagePainted(page);
  await page.screenshot({ path: join(screenshotsDir, "electron-corpus-hit.png") });
});

test("the engine's death is said, and Restart brings everything back", async () => {
  const { page, enginePid } = studio;
  const first = await enginePid();
  process.kill(first, "SIGKILL");
  const banner = page.getByRole("alert").filter({ hasText: "The engine has stopped" });
  await expect(banner).toBeVisible();
  await page.screenshot({ path: join(screenshotsDir, "electron-engine-gone.png") });
  await banner.getByRole("button", { name: "Restart" }).click();
  await expect(banner).toBeHidden({ timeout: 30_000 });
  expect(await enginePid()).not.toBe(first);
  await page.keyboard.press("Escape");
  await expect(page.locator("[data-hit]").first()).toBeVisible({ timeout: 60_000 });
});

test("quitting ends the engine and leaves the place, which the next start opens again", async () => {
  const { enginePid, page } = studio;
  const pid = await enginePid();
  await page.evaluate("location.hash = '#/jobs'");
  await expect(page.getByRole("heading", { name: "Jobs" })).toBeVisible();
  const startedAt = Date.now();
  await studio.close();
  expect(Date.now() - startedAt, "milliseconds to quit").toBeLessThan(8_000);
  expect(() => process.kill(pid, 0)).toThrow();

  studio = await launch();
  await expect(studio.page.getByRole("heading", { name: "Jobs" })).toBeVisible();
  await expect(studio.page.getByRole("listitem").first()).toBeVisible();
});

test("a second start of the same user only shows the first window", async () => {
  const { workspaceDir, userDataDir } = studio;
  expect(await runApp({ appDir: rootDir, userDataDir, args: [`--workspace=${workspaceDir}`] })).toBe(0);
  await expect.poll(() => studio.mainLog().map(({ msg }) => msg)).toContain("second start");
  expect(studio.app.windows()).toHaveLength(1);
  await expect(studio.page.getByRole("heading", { name: "Jobs" })).toBeVisible();
});
