import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { screenOf, SCREENS } from "../../renderer/app/screens.ts";
import { parseRoute, SCREEN_NAMES } from "../../renderer/lib/routes.ts";

test("every screen has its line in the table, its place in the address and its folder", () => {
  const names = SCREENS.map(({ name }) => name as string).toSorted();
  expect(names).toEqual([...SCREEN_NAMES].toSorted());
  expect(names).toEqual(readdirSync(join(import.meta.dirname, "../../renderer/screens")).toSorted());
  for (const { name } of SCREENS) expect(screenOf(parseRoute(`/${name}`).screen).name).toBe(name);
});

test("no two screens are called the same", () => {
  for (const key of ["label", "goTo", "Icon"] as const)
    expect(new Set(SCREENS.map((entry) => entry[key])).size).toBe(SCREENS.length);
});
