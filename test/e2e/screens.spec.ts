import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { expectAccessible } from "./support/audit.ts";
import { runCli } from "./support/cli.ts";
import { expectPagePainted } from "./support/painted.ts";
import { launchStudio } from "./support/electron-studio.ts";
import { figurePaper, screenshotsDir, shortPaper } from "./support/project.ts";
import { startServe, type Served } from "./support/serve.ts";

/**
 * Every screen, empty, loaded with what the real models made, and failed; light and dark; small and large. The pictures
 * are for looking at; what is asserted is that each screen stands and that axe finds nothing serious on it.
 */
const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];
const SCREENS = ["corpus", "graph", "reflect", "jobs"];
const QUESTION = "How does the volume fraction of crystals change the plasticity of metallic glass composites?";

let scratchDir: string;
let served: Served | undefined;

test.beforeAll(() => {
  scratchDir = mkdtempSync(join(tmpdir(), "e2e-screens-"));
});
test.afterEach(async () => {
  await served?.close();
  served = undefined;
});
test.afterAll(() => rmSync(scratchDir, { recursive: true, force: true }));

test("empty", async ({ page }) => {
  served = await startServe(join(scratchDir, "empty"));
  await page.goto(served.url);
  await expect(page.getByRole("navigation", { name: "Screens" })).toBeVisible();
  for (const screen of SCREENS) {
    await show(page, `#/${screen}`);
    await expect(page.getByRole("heading").first()).toBeVisible();
    await photograph(page, screen, "empty");
    await expectAccessible(page, `${screen}, empty`);
  }
});

test("loaded with papers, pairs, a graph and a reflection", async ({ page }) => {
  test.setTimeout(600_000);
  const workspaceDir = join(scratchDir, "loaded");
  const { reflectionId } = fill(workspaceDir);
  const { documents } = runCli(workspaceDir, ["documents"]) as { documents: { id: string; path: string }[] };
  const { hits } = runCli(workspaceDir, ["search", QUESTION]) as {
    hits: { documentId: string; page: number; start: number; end: number }[];
  };
  expect(documents.length).toBeGreaterThanOrEqual(2);

  served = await startServe(workspaceDir);
  await page.goto(served.url);
  await expect(page.getByRole("navigation", { name: "Screens" })).toBeVisible();
  for (const screen of SCREENS) {
    await show(page, `#/${screen}`);
    await settle(page);
    if (screen === "graph") await expect(page.getByRole("img", { name: /^Graph of \d+ concepts/ })).toBeVisible();
    if (screen === "reflect")
      await expect(page.getByText(/: trainable on \w+ with about [\d.]+ [MG]B of /)).toBeVisible();
    await photograph(page, screen, "loaded");
    await expectAccessible(page, `${screen}, loaded`);
  }

  // from a concept to the page's own words, and from these to their place
  await show(page, "#/graph");
  const evidence = page.getByRole("complementary", { name: "Evidence" });
  await evidence.getByRole("listitem").getByRole("link").first().click();
  const papers = evidence.getByRole("region", { name: "In the papers" });
  await expect(papers).toBeVisible();
  await settle(page);
  await photograph(page, "graph-evidence", "loaded");
  await expectAccessible(page, "graph with evidence, loaded");
  await papers.getByRole("link").first().click();
  await expect(page.locator("[data-highlight]").first()).toBeVisible({ timeout: 60_000 });

  const hit = hits[0]!;
  await show(page, `#/corpus/${hit.documentId}/${hit.page}/${hit.start}-${hit.end}`);
  await expect(page.locator("[data-highlight]").first()).toBeVisible({ timeout: 60_000 });
  await expectPagePainted(page);
  await photograph(page, "corpus-document", "loaded");
  await expectAccessible(page, "document, loaded");

  await show(page, `#/reflect/${reflectionId}`);
  await expect(page.getByRole("heading", { name: QUESTION })).toBeVisible();
  await settle(page);
  await photograph(page, "reflection", "loaded");
  await expectAccessible(page, "reflection, loaded");
});

test("failed: no engine behind any screen, in a real window", async () => {
  const studio = await launchStudio();
  try {
    const { page } = studio;
    await expect(page.getByRole("navigation", { name: "Screens" })).toBeVisible();
    process.kill(await studio.enginePid(), "SIGKILL");
    await expect(page.getByRole("alert").first()).toBeVisible();
    for (const screen of SCREENS) {
      await page.evaluate(`location.hash = "#/${screen}"`);
      await page.reload();
      await expect(page.getByRole("button", { name: "Restart" })).toBeVisible();
      await expect(page.getByText(/could not be loaded/).first()).toBeVisible();
      await photograph(page, screen, "failed");
    }
  } finally {
    await studio.close();
  }
});

/** What a user has after a first hour: papers, one of them damaged; a model; pairs; the graph of them; a reflection. */
function fill(workspaceDir: string): { reflectionId: string } {
  const damaged = join(scratchDir, "damaged.pdf");
  writeFileSync(damaged, "%PDF-1.7\nthis file was cut off");
  runCli(workspaceDir, ["import", shortPaper, figurePaper, damaged]);
  runCli(workspaceDir, ["models", "get", "smollm2-135m-instruct"]);
  runCli(workspaceDir, ["pairs", "generate", "--count", "2"]);
  const model = ["--model", "smollm2-135m-instruct"];
  const reflect = ["reflect", QUESTION, ...model, "--iterations", "1", "--retrieve", "--seed", "1"];
  const { id } = runCli(workspaceDir, reflect) as { id: string };
  return { reflectionId: id };
}

async function show(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

/** Lists have their answers and layouts have come to rest. */
async function settle(page: Page): Promise<void> {
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  await page.waitForTimeout(1500);
}

async function photograph(page: Page, screen: string, state: string): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(250);
      const name = `${screen}-${state}-${colorScheme}-${size.width}x${size.height}.png`;
      await page.screenshot({ path: join(screenshotsDir, name) });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(SIZES[0]!);
  await page.waitForTimeout(250);
}
