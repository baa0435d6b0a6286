/** @file Draws icon.svg in the sizes that the systems ask for. Run after changing it: node resources/icons/make-icons.ts */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "@playwright/test";

const folder = import.meta.dirname;
const svg = readFileSync(join(folder, "icon.svg"), "utf8");
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
for (const size of [16, 32, 48, 64, 128, 256, 512]) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`);
  writeFileSync(join(folder, `${size}x${size}.png`), await page.screenshot({ omitBackground: true }));
}
writeFileSync(join(folder, "icon.png"), readFileSync(join(folder, "512x512.png")));
await browser.close();
