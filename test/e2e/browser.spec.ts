import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { dropFiles } from "../harness/drop-files.ts";
import { expectAccessible } from "./support/audit.ts";
import { shortPaper } from "./support/project.ts";
import { startServe, type Served } from "./support/serve.ts";

let workspaceDir: string;
let served: Served;

test.beforeAll(async () => {
  workspaceDir = mkdtempSync(join(tmpdir(), "e2e-serve-"));
  served = await startServe(workspaceDir);
});
test.afterAll(async () => {
  await served?.close();
  rmSync(workspaceDir, { recursive: true, force: true });
});

test("the address without its token shows nothing", async ({ page }) => {
  const answer = await page.goto(new URL("/", served.url).href);
  expect(answer?.status()).toBe(401);
});

test("with the token it is the window: a dropped paper is uploaded, read, found and shown, and the upload is deleted", async ({
  page,
}) => {
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));

  await page.goto(served.url);
  await expect(page.getByText("Turn your papers into a small reasoning model")).toBeVisible();
  expect(page.url(), "the token does not stay in the address").not.toContain("token");
  await expectAccessible(page, "empty corpus");

  await dropFiles(page, [shortPaper], { x: 600, y: 400 });
  const row = page.getByRole("table", { name: "Documents" }).getByRole("row").nth(1);
  await expect(row.getByText("Ready", { exact: true })).toBeVisible({ timeout: 120_000 });
  const uploadsDir = join(workspaceDir, "uploads");
  await expect.poll(() => (existsSync(uploadsDir) ? readdirSync(uploadsDir) : [])).toEqual([]);
  await expectAccessible(page, "corpus with a document");

  await page.getByLabel("Search the text of all documents").fill("stress and strain of rubber");
  await page.locator("[data-hit]").first().click();
  await expect(page.locator("[data-highlight]").first()).toBeVisible({ timeout: 60_000 });
  await expectAccessible(page, "document with a hit");

  await page.reload();
  await expect(page.locator("[data-highlight]").first()).toBeVisible({ timeout: 60_000 });
  const origin = new URL(served.url).origin;
  expect(requests.filter((url) => !url.startsWith(origin) && !/^(blob|data):/.test(url))).toEqual([]);
  expect(complaints).toEqual([]);
});
