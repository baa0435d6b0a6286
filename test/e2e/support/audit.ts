import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** No serious or critical violation; the message names rule and element. Soft, so that one run shows them all. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // a colour on its way from dark to light is no colour of the program
  const transitions = "document.getAnimations().filter((animation) => animation instanceof CSSTransition)";
  await page.evaluate(`Promise.allSettled(${transitions}.map((transition) => transition.finished))`);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.map(({ target, failureSummary }) => `${target.join(" ")} (${failureSummary})`).join("; ")}`,
    );
  expect.soft(serious, what).toEqual([]);
}
