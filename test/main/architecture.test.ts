import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const MOST_FILES = 5;

/** "a loss" → the paths that docs/architecture.md names for it. */
function recipes(): Map<string, string[]> {
  const text = readFileSync(join(root, "docs/architecture.md"), "utf8");
  const section = text.slice(text.indexOf("## To add …"));
  const entries = section.split(/^- \*\*/m).slice(1);
  return new Map(
    entries.map((entry) => {
      const [what = "", rest = ""] = entry.split(/\*\*:/);
      const paths = [...rest.matchAll(/`([\w.<>/-]+\/[\w.<>/-]+)`/g)].map(([, path]) => path!);
      return [what, paths];
    }),
  );
}

test("what to touch is said for everything that is added again and again", () => {
  const known = ["a loss", "a document format", "a screen", "a filter", "a graph source", "a recipe key"];
  expect([...recipes().keys()]).toEqual(expect.arrayContaining(known));
});

test.each([...recipes()])("to add %s, the files that are named are there, and they are few", (_what, paths) => {
  const product = paths.filter((path) => !path.startsWith("test/"));
  expect(product.length).toBeGreaterThan(0);
  expect(product.length).toBeLessThanOrEqual(MOST_FILES);
  for (const path of paths) {
    // of a file that is yet to be written, the folder that it goes into
    const known = path.includes("<") ? path.slice(0, path.lastIndexOf("/", path.indexOf("<"))) : path;
    expect(existsSync(join(root, known)), path).toBe(true);
  }
});

test("a folder of engine tests is called after the room that it tests", () => {
  const foldersOf = (path: string) =>
    readdirSync(join(root, path), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  expect(foldersOf("main/engine")).toEqual(expect.arrayContaining(foldersOf("test/engine")));
});
