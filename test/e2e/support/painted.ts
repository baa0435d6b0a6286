import { expect, type Page } from "@playwright/test";

/** The picture of the page that holds the mark is there, not only its frame. */
export async function expectPagePainted(page: Page): Promise<void> {
  const picture = page
    .locator("[data-page]", { has: page.locator("[data-highlight]") })
    .locator("img")
    .first();
  await expect
    .poll(() =>
      picture.evaluate((image: { complete: boolean; naturalWidth: number }) => image.complete && image.naturalWidth),
    )
    .toBeGreaterThan(0);
}
