import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const out = join(root, "out");

/** Reads what was really built: bundlers have put the shell's code into the engine's entry before. */
beforeAll(() => {
  if (!existsSync(join(out, "main", "engine.js")) || !existsSync(join(out, "renderer", "index.html")))
    execFileSync(process.execPath, [join(root, "node_modules/electron-vite/bin/electron-vite.js"), "build"], {
      cwd: root,
    });
}, 180_000);

describe("what was built", () => {
  test.each(["engine", "cli", "model-host", "pdf-worker"])(
    "nothing that out/main/%s.js reaches knows Electron",
    (entry) => {
      const { files, packages } = closureOf(join(out, "main", `${entry}.js`));
      expect(files.length).toBeGreaterThan(0);
      expect([...packages].filter((name) => name === "electron" || name.startsWith("electron/"))).toEqual([]);
    },
  );

  test("the shell reaches electron and neither the database nor a model", () => {
    const { packages } = closureOf(join(out, "main", "app.js"));
    expect(packages).toContain("electron");
    for (const name of ["better-sqlite3", "sqlite-vec", "node-llama-cpp", "@xenova/transformers"])
      expect(packages).not.toContain(name);
  });

  test("the engine loads no model library: those abort whole processes", () => {
    const { packages } = closureOf(join(out, "main", "engine.js"));
    expect(packages).toContain("better-sqlite3");
    for (const name of ["node-llama-cpp", "@xenova/transformers", "onnxruntime-node"])
      expect(packages).not.toContain(name);
  });

  test("the preload is one CommonJS file that requires nothing but electron", () => {
    expect(readdirSync(join(out, "preload")).filter((name) => !name.endsWith(".map"))).toEqual(["index.cjs"]);
    const source = readFileSync(join(out, "preload", "index.cjs"), "utf8");
    const required = [...source.matchAll(/require\(["'`]([^"'`]+)["'`]\)/g)].map(([, name]) => name);
    expect([...new Set(required)]).toEqual(["electron"]);
    expect(source).not.toMatch(/^\s*(import|export)\s/m);
    expect(source, "a schema library in every page load").not.toContain("ZodError");
  });

  test("the window's bundle imports nothing of Node and fetches nothing from outside", () => {
    const scripts = readdirSync(join(out, "renderer"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".js"),
    );
    expect(scripts.length).toBeGreaterThan(0);
    const builtins = new Set(builtinModules.map((name) => name.replace(/^node:/, "")));
    for (const name of scripts) {
      // not requires: PDFium's glue holds one for Node, in the text of a branch that no browser takes
      const imports = importsOf(readFileSync(join(out, "renderer", name), "utf8"), MODULE_IMPORTS);
      expect(
        imports.filter((specifier) => specifier.startsWith("node:") || builtins.has(specifier)),
        name,
      ).toEqual([]);
    }
    const page = readFileSync(join(out, "renderer", "index.html"), "utf8");
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page, "inline scripts are against the policy").not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>/);
  });
});

/** The files of our build that an entry reaches by any import, and the packages that they name. */
function closureOf(entry: string): { files: string[]; packages: Set<string> } {
  const files: string[] = [];
  const packages = new Set<string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.includes(path)) continue;
    files.push(path);
    for (const specifier of importsOf(readFileSync(path, "utf8"))) {
      if (specifier.startsWith(".")) waiting.push(resolve(dirname(path), specifier));
      else packages.add(specifier);
    }
  }
  return { files, packages };
}

const MODULE_IMPORTS = [
  /(?:^|[;}\s])(?:import|export)\s*(?:[\w*{}\s,$]+\s*from\s*)?["']([^"'\n]+)["']/g,
  /\bimport\(\s*["'`]([^"'`\n]+)["'`]\s*\)/g,
];
const REQUIRES = /\brequire\(\s*["'`]([^"'`\n]+)["'`]\s*\)/g;

function importsOf(source: string, patterns = [...MODULE_IMPORTS, REQUIRES]): string[] {
  return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([, specifier]) => specifier ?? ""));
}
