import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { IMPORT_TABLE, OF_THE_ENGINE, type Rule } from "./import-table.ts";

const root = resolve(import.meta.dirname, "../..");
const MAX_LINES = 300;

describe("the import table", () => {
  const files = sourceFiles();

  test("every import of main, preload and renderer is one that the table allows", () => {
    expect(files.length).toBeGreaterThan(200);
    expect(files.flatMap((file) => problemsOf(file, readFileSync(join(root, file), "utf8")))).toEqual([]);
  });

  test("every line of the table is used", () => {
    const used = new Set(files.flatMap((file) => usesOf(file, readFileSync(join(root, file), "utf8"))));
    const unused = Object.entries(IMPORT_TABLE).flatMap(([name, { rooms, packages, node, electron }]) =>
      [...rooms, ...packages, ...(node ? ["node"] : []), ...(electron ? ["electron"] : [])]
        .filter((allowed) => !(name.startsWith("main/engine") && OF_THE_ENGINE.includes(allowed)))
        .map((allowed) => `${name}: ${allowed}`)
        .filter((use) => !used.has(use)),
    );
    expect(unused).toEqual([]);
  });

  test("only engine.ts knows what is there for small models", () => {
    const knowing = Object.keys(IMPORT_TABLE).filter((room) =>
      IMPORT_TABLE[room]!.rooms.includes("main/engine/small-models"),
    );
    expect(knowing).toEqual(["main/engine"]);
  });

  test("index.ts is a door: named exports, no logic", () => {
    const doors = files.filter((file) => /^main\/engine\/[^/]+\/index\.ts$/.test(file));
    expect(doors.length).toBeGreaterThan(10);
    for (const door of doors) {
      const rest = withoutComments(readFileSync(join(root, door), "utf8")).replaceAll(
        /export (?:type )?\{[^}]*\} from "[^"]+";/g,
        "",
      );
      expect(rest.trim(), door).toBe("");
    }
  });

  test(`no file of main, preload or renderer has more than ${MAX_LINES} lines`, () => {
    const long = files.filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > MAX_LINES + 1);
    expect(long).toEqual([]);
  });

  test.each([
    ["main/engine/corpus/search.ts", "../graph/index.ts", "corpus may not import graph"],
    ["main/engine/corpus/readers/pdf/lines.ts", "../../../graph/graph.ts", "from any depth"],
    ["main/engine/graph/graph.ts", "../jobs/job-queue.ts", "another room is entered through its door"],
    ["main/cli/lib/session.ts", "../../engine/inference/runner.ts", "from outside the engine, too"],
    ["main/engine/graph/graph.ts", "electron", "the engine knows no Electron"],
    ["renderer/screens/graph/GraphScreen.tsx", "../corpus/CorpusScreen.tsx", "screens do not import screens"],
    ["renderer/lib/time.ts", "node:fs", "a window has no files"],
    ["main/shared/errors.ts", "../engine/lib/clock.ts", "shared stands below everything"],
    ["main/engine/lib/clock.ts", "../../../test/harness/cache.ts", "nothing imports tests"],
    ["main/engine/graph/graph.ts", "left-pad", "a package that the table does not name"],
  ])("%s importing %s is refused: %s", (file, specifier) => {
    expect(problemsOf(file, `import { x } from "${specifier}";`)).toHaveLength(1);
  });
});

function sourceFiles(): string[] {
  const listed = execFileSync(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", "main", "preload", "renderer"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  return listed.split("\n").filter((file) => /\.tsx?$/.test(file) && existsSync(join(root, file)));
}

function problemsOf(file: string, source: string): string[] {
  const room = roomOf(file);
  const rule = IMPORT_TABLE[ruleName(room)];
  if (!rule) return [`${file} lies in ${room}, which the table does not know`];
  return specifiersOf(source).flatMap((specifier) => {
    const problem = specifier.startsWith(".")
      ? relativeProblem(file, room, rule, specifier)
      : packageProblem(rule, specifier);
    return problem === null ? [] : [`${file} imports ${specifier}: ${problem}`];
  });
}

function relativeProblem(file: string, room: string, rule: Rule, specifier: string): string | null {
  const target = relative(root, resolve(root, dirname(file), specifier));
  const targetRoom = roomOf(target);
  if (targetRoom === room) return null;
  if (!rule.rooms.includes(ruleName(targetRoom))) return `${room} may not import ${targetRoom}`;
  if (targetRoom.startsWith("main/engine/") && !OPEN_ROOMS.has(targetRoom) && target !== `${targetRoom}/index.ts`)
    return `${targetRoom} is entered through its index.ts`;
  return null;
}

/** What a file makes use of, as lines of the table. */
function usesOf(file: string, source: string): string[] {
  const room = roomOf(file);
  const name = ruleName(room);
  return specifiersOf(source).flatMap((specifier) => {
    if (specifier.startsWith("node:")) return [`${name}: node`];
    if (/^electron(?:\/|$)/.test(specifier)) return [`${name}: electron`];
    if (specifier.startsWith(".")) {
      const target = roomOf(relative(root, resolve(root, dirname(file), specifier)));
      return target === room ? [] : [`${name}: ${ruleName(target)}`];
    }
    const packages = IMPORT_TABLE[name]?.packages ?? [];
    return packages.filter((each) => isOfPackage(specifier, each)).map((each) => `${name}: ${each}`);
  });
}

/** Small plain functions and types, each file a door of its own. */
const OPEN_ROOMS = new Set(["main/engine/lib"]);

function packageProblem(rule: Rule, specifier: string): string | null {
  if (specifier.startsWith("node:")) return rule.node ? null : "no Node here";
  if (/^electron(?:\/|$)/.test(specifier)) return rule.electron ? null : "no Electron here";
  const isAllowed = rule.packages.some((name) => isOfPackage(specifier, name));
  return isAllowed ? null : "the table does not name this package for this room";
}

function isOfPackage(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

/** `main/engine/graph/rules/labels.ts` lies in the room main/engine/graph; a file beside the rooms in their parent. */
function roomOf(path: string): string {
  const parts = path.split("/");
  const depth =
    path.startsWith("main/engine/") || path.startsWith("renderer/screens/")
      ? 3
      : { main: 2, renderer: 2 }[parts[0] ?? ""];
  return parts.slice(0, Math.min(depth ?? 1, parts.length - 1)).join("/");
}

function ruleName(room: string): string {
  return room.startsWith("renderer/screens/") ? "renderer/screens/*" : room;
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

const IMPORTS = [
  /^(?:import|export)\b[^"';]*?\bfrom\s*["']([^"'\n]+)["']/gm,
  /^import\s*["']([^"'\n]+)["']/gm,
  /\bimport\(\s*["'`]([^"'`\n]+)["'`]\s*\)/g,
];

function specifiersOf(source: string): string[] {
  const text = withoutComments(source);
  return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, specifier]) => specifier ?? ""));
}
