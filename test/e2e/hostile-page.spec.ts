import { expect, test } from "@playwright/test";
import { launchStudio, type Studio } from "./support/electron-studio.ts";

/** What a page could do that ran somebody else's script: nothing. In a real window, with the product's own shell. */
let studio: Studio;

test.beforeEach(async () => {
  studio = await launchStudio();
});
test.afterEach(() => studio?.close());

// Text, because it runs in the page, whose types the tests do not have.
const BREAK_OUT = `(async () => {
  // in a task of its own: what the debugger runs directly may do more than the page
  const later = () => new Promise((resolve) => setTimeout(resolve));
  const attempt = (work) => later().then(work).then((value) => (value === null ? "refused" : "done"), () => "refused");
  return {
    fetch: await attempt(() => fetch("https://example.org/")),
    socket: await attempt(() => new Promise((done, fail) => {
      const socket = new WebSocket("ws://127.0.0.1:9/");
      document.addEventListener("securitypolicyviolation", fail, { once: true });
      socket.onopen = done;
    })),
    window: await attempt(() => window.open("https://example.org/")),
    evaluation: await attempt(() => new Function("return 1")()),
    camera: (await navigator.permissions.query({ name: "camera" })).state,
    files: await Promise.all(
      ["/../../package.json", "/..%2f..%2fpackage.json", "/%2e%2e/%2e%2e/package.json", "//etc/passwd"].map(
        async (path) => (await fetch("app://bundle" + path)).status,
      ),
    ),
  };
})()`;

test("no request, socket, window, evaluation, permission or file", async () => {
  const { page, app } = studio;
  expect(await page.evaluate(BREAK_OUT)).toEqual({
    fetch: "refused",
    socket: "refused",
    window: "refused",
    evaluation: "refused",
    camera: "denied",
    files: [404, 404, 404, 404],
  });
  expect(app.windows()).toHaveLength(1);
});

test("no other address", async () => {
  const { app, mainLog } = studio;
  // in a window of its own: Playwright waits for ever for the end of a navigation that was refused
  const url = await app.evaluate(async ({ BrowserWindow }) => {
    const window = new BrowserWindow({ show: false });
    await window.loadURL("app://bundle/");
    await window.webContents.executeJavaScript("setTimeout(() => (location.href = 'https://example.org/')); 0");
    await new Promise((resolve) => setTimeout(resolve, 500));
    return window.webContents.getURL();
  });
  expect(url).toMatch(/^app:\/\/bundle\//);
  expect(mainLog().some(({ msg }) => msg === "a navigation was refused")).toBe(true);
});

test("the shell answers nobody but the window's own page, and no request that it does not know", async () => {
  const { app, page } = studio;
  const answers = await page.evaluate(
    "Promise.all([studio.revealPath('relative'), studio.revealPath('/nowhere/at/all'), studio.openFiles('passwords')].map((asked) => asked.then(() => 'done', (error) => error.message)))",
  );
  expect(answers).toEqual([
    expect.stringContaining("There is no relative"),
    expect.stringContaining("There is no /nowhere/at/all"),
    expect.stringContaining("kind"),
  ]);
  const foreign = await app.evaluate(async ({ BrowserWindow }, preload) => {
    const window = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } });
    await window.loadURL("data:text/html,<p>a page from elsewhere");
    return window.webContents.executeJavaScript(
      "studio.restartEngine().then(() => 'done', (error) => error.message)",
    ) as Promise<string>;
  }, studio.preloadPath);
  expect(foreign).toContain("not the program's own");
});
