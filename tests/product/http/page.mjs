// The page in a browser: drop, watch, play, retry, edit a pipeline with a mistake.
//
//   npm install --prefix DIR playwright-core axe-core
//   WAVEMILL=target/release/wavemill TOOLS=DIR node tests/product/http/page.mjs
//
// CHROMIUM names the browser (/usr/bin/chromium), WAVEMILL_PAGE another server of the page in front of the program, and
// PICTURES a folder for a picture of each view. Without a browser or playwright-core, it prints `skipped: ` with the reason.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const { TOOLS = ".", CHROMIUM = "/usr/bin/chromium", WAVEMILL = "target/release/wavemill", PICTURES } = process.env;
const ADDRESS = process.env.WAVEMILL_ADDRESS ?? "127.0.0.1:8391";
const PAGE = process.env.WAVEMILL_PAGE ?? `http://${ADDRESS}/`;

/** Bytes of the first view on the wire, at most. Source: what the page promises. */
const FIRST_VIEW_BYTES_MAX = 300_000;
/** Cumulative layout shift that counts as good, at most. Source: web.dev/articles/cls says 0.1; nothing here has to move. */
const SHIFT_MAX = 0.05;
const WAIT_MS = 30_000;

function skip(reason) {
  console.log(`skipped: the page in a browser, because ${reason}`);
  process.exit(0);
}

const require = createRequire(join(resolve(TOOLS), "package.json"));
const module = (name) => {
  try {
    return require(name);
  } catch {
    return null;
  }
};
const playwright = module("playwright-core");
if (!playwright) skip("playwright-core is missing (npm install --prefix DIR playwright-core axe-core; TOOLS=DIR)");
if (!existsSync(CHROMIUM)) skip(`there is no ${CHROMIUM} (CHROMIUM names another one)`);
if (!existsSync(WAVEMILL)) skip(`there is no ${WAVEMILL} (WAVEMILL names another one)`);
const axe = module("axe-core");

/** A tone with noise: 16-bit stereo WAVE at 48 kHz. */
function wave(seconds) {
  const frames = Math.round(seconds * 48_000);
  const bytes = Buffer.alloc(44 + frames * 4);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + frames * 4, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(48_000, 24);
  bytes.writeUInt32LE(192_000, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(frames * 4, 40);
  let seed = 1;
  for (let frame = 0; frame < frames; frame += 1) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const value = 6000 * Math.sin((2 * Math.PI * 220 * frame) / 48_000) + (seed / 2 ** 32 - 0.5) * 3000;
    bytes.writeInt16LE(Math.round(value), 44 + frame * 4);
    bytes.writeInt16LE(Math.round(value * 0.8), 46 + frame * 4);
  }
  return bytes;
}

const PIPELINE = `version = 1

[pipeline]
name = "talk"
description = "Speech at -16 LUFS."

[[watch]]
path = "inbox"

[[step]]
use = "loudness"
with = { target_lufs = -16.0, ceiling_dbtp = -1.0 }

[[export]]
format = "flac"
path = "outbox/{stem}.{ext}"

[report]
json = "outbox/{stem}.json"
html = "outbox/{stem}.html"
measure = "all"
`;

const folder = mkdtempSync(join(tmpdir(), "wavemill-page-"));
mkdirSync(join(folder, "root"));
writeFileSync(join(folder, "talk.toml"), PIPELINE);
const program = spawn(
  WAVEMILL,
  ["watch", "--http", ADDRESS, "--state", join(folder, "state"), "--root", join(folder, "root"), join(folder, "talk.toml")],
  { stdio: ["ignore", "ignore", "pipe"] },
);
const isUp = new Promise((up, down) => {
  let text = "";
  program.stderr.on("data", (data) => {
    text += data;
    if (text.includes("HTTP is served")) up();
  });
  program.on("exit", () => down(new Error(`the program ended: ${text}`)));
});

let done = 0;
async function step(name, act) {
  await act();
  done += 1;
  console.log(`ok: ${name}`);
}

let browser;
try {
  await isUp;
  browser = await playwright.chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
  });
  let firstBytes = 0;
  const foreign = [];
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.loadingFinished", ({ encodedDataLength }) => (firstBytes += encodedDataLength));
  page.on("request", (request) => {
    if (!request.url().startsWith(PAGE) && !/^(blob|data):/.test(request.url())) foreign.push(request.url());
  });
  await page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  const picture = async (name) => {
    if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  };
  const row = (name) => page.locator(".job").filter({ hasText: name });
  const drop = (name, bytes) =>
    page.evaluate(
      ({ name, base64 }) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(base64), (it) => it.charCodeAt(0))], name, { type: "audio/wav", lastModified: 1 }));
        window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
      },
      { name, base64: bytes.toString("base64") },
    );

  await step("token lets a browser in, and nothing else does", async () => {
    await page.goto(PAGE);
    const field = page.getByLabel("Or paste the token");
    await field.fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This token is not right").waitFor();
    await picture("sign-in");
    await field.fill(readFileSync(join(folder, "state", "control.token"), "utf8").trim());
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Nothing to do yet").waitFor();
  });

  await step("first view is small, quick and calm", async () => {
    await session.send("Network.clearBrowserCache");
    firstBytes = 0;
    await page.reload();
    await page.getByText("Nothing to do yet").waitFor();
    await page.waitForTimeout(500);
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
    const shift = await page.evaluate(() => window.shift);
    console.log(`    ${firstBytes} bytes, first paint after ${Math.round(paint)} ms, layout shift ${shift.toFixed(4)}`);
    assert.ok(firstBytes <= FIRST_VIEW_BYTES_MAX, `${firstBytes} bytes`);
    assert.ok(shift <= SHIFT_MAX, `layout shift ${shift}`);
  });

  await step("file that is dropped is processed", async () => {
    await drop("morning.wav", wave(6));
    await row("morning.wav").getByText("done", { exact: true }).waitFor();
    await picture("queue");
  });

  await step("upload goes on after a lost connection", async () => {
    let isLost = false;
    await page.route("**/v1/uploads/*/bytes?**", (route) => {
      if (isLost) return route.continue();
      isLost = true;
      return route.abort();
    });
    await drop("noon.wav", wave(3));
    await page.getByText("Connection lost").waitFor();
    await row("noon.wav").getByText("done", { exact: true }).waitFor();
    await page.unroute("**/v1/uploads/*/bytes?**");
  });

  await step("file that is no audio is refused in words, and can be tried again", async () => {
    writeFileSync(join(folder, "root", "broken.wav"), "this is no audio");
    const answer = await page.request.post(`${PAGE}v1/batches`, { data: { paths: [join(folder, "root", "broken.wav")], pipeline: "talk" } });
    assert.ok(answer.ok(), await answer.text());
    await row("broken.wav").getByText("not an audio file").waitFor();
    await row("broken.wav").getByRole("button", { name: "Retry broken.wav" }).first().click();
    await row("broken.wav").nth(1).waitFor();
  });

  await step("made file plays, and the playhead moves", async () => {
    await row("morning.wav").getByRole("link", { name: "Listen to morning.wav" }).click();
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
    await page.waitForFunction(() => Number(document.querySelector(".wave")?.getAttribute("aria-valuenow")) >= 2);
    await page.locator(".loudness-chart canvas").waitFor();
    await page.locator(".bands .block").first().waitFor();
    await picture("file");
    const slider = page.getByRole("slider", { name: "Position" });
    await slider.press("Home");
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    const report = await page.getByRole("link", { name: "Report page" }).getAttribute("href");
    const answer = await page.request.get(new URL(report, PAGE).href);
    assert.match(await answer.text(), /<!doctype html>/i);
  });

  await step("before and after are switched at equal loudness", async () => {
    await page.getByRole("button", { name: /^A Before/ }).click();
    assert.equal(await page.getByRole("button", { name: /^A Before/ }).getAttribute("aria-pressed"), "true");
    assert.ok(await page.getByLabel("Equal loudness").isChecked());
    await page.getByRole("button", { name: "Blind test (ABX)" }).click();
    await page.getByRole("group", { name: "Listen to" }).getByRole("button", { name: /^X/ }).click();
    await page.locator(".abx").getByRole("button", { name: "A", exact: true }).click();
    await page.getByText(/of 1 right/).waitFor();
  });

  await step("library finds by name", async () => {
    await page.getByRole("link", { name: "Library" }).click();
    await page.getByRole("searchbox").fill("noon");
    await page.getByRole("link", { name: "noon", exact: true }).waitFor();
    assert.equal(await page.locator(".library-table tbody tr").count(), 1);
    await picture("library");
  });

  await step("mistake in a pipeline is shown in place, and keys are completed", async () => {
    await page.getByRole("link", { name: "Pipelines" }).click();
    await picture("pipelines");
    await page.getByRole("link", { name: "Open talk" }).click();
    await page.getByText("No mistakes").waitFor();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type('\n[[step]]\nuse = "gain"\nwith = { gian_db = 3.0 }\n');
    await page.locator(".mistake").filter({ hasText: "gian_db" }).first().waitFor();
    await page.locator(".cm-lintRange-error").first().waitFor();
    await page.keyboard.type("[[exp");
    await page.locator(".cm-tooltip-autocomplete").getByText("export").waitFor();
    await picture("editor");
  });

  await step("effect is heard live, or the page says why not", async () => {
    await page.getByRole("link", { name: "Effects" }).click();
    await page.getByRole("button", { name: /^Gain Makes/ }).click();
    await page.getByRole("spinbutton", { name: "Gain" }).fill("-6");
    await page.getByLabel("Input").selectOption({ label: "morning.flac" });
    await page.getByRole("button", { name: "Start" }).click();
    const meters = page.locator(".live-meters");
    const reason = page.locator(".hint.bad");
    await meters.or(reason).first().waitFor();
    if (await meters.isVisible()) await meters.filter({ hasText: /M\u2212\d/ }).waitFor();
    else console.log(`    ${await reason.first().innerText()}`);
    await picture("effects");
  });

  await step("every view is without findings of axe, in both themes, wide and narrow", async () => {
    if (!axe) return console.log("    skipped: axe-core is missing");
    for (const colorScheme of ["dark", "light"]) {
      for (const viewport of [{ width: 1280, height: 900 }, { width: 390, height: 844 }]) {
        const storageState = await context.storageState();
        const other = await browser.newContext({ viewport, colorScheme, storageState, bypassCSP: true, reducedMotion: "reduce" });
        const view = await other.newPage();
        for (const name of ["queue", "library", "pipelines", "pipelines/talk", "effects", "system"]) {
          await view.goto(`${PAGE}#/${name}`);
          await view.waitForTimeout(1200);
          await view.evaluate(axe.source);
          const { violations } = await view.evaluate(() => window.axe.run());
          assert.deepEqual(violations.map((it) => `${it.id}: ${it.nodes[0].target}`), [], `${name}, ${colorScheme}, ${viewport.width}`);
          assert.ok(await view.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than ${viewport.width}`);
        }
        await other.close();
      }
    }
  });

  await step("nothing is asked of other servers, and the policy holds", async () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(complaints, []);
  });
  console.log(`${done} checks passed`);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser?.close();
  program.removeAllListeners("exit");
  program.kill();
  rmSync(folder, { recursive: true, force: true });
}
