// Starts the example `portal`, and uses it in a browser as a person does: portal.mjs MODULES PROGRAM
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modules, program] = process.argv.slice(2);
const { resolve } = createRequire(`${modules}/package.json`);
// What `require` finds is a CommonJS module, which may hold its default in a field.
const load = async (name) => {
  const loaded = (await import(pathToFileURL(resolve(name)))).default;
  return loaded.default ?? loaded;
};
const chromium = await load("@sparticuz/chromium");
const puppeteer = await load("puppeteer-core");

const portal = spawn(program, ["0"], { stdio: ["ignore", "pipe", "inherit"] });
const ended = once(portal, "exit");
let browser;
let hostile;
try {
  const [line] = await once(createInterface(portal.stdout), "line");
  const address = /^Portal: (http:\/\/127\.0\.0\.1:\d+)\/$/.exec(line)?.[1];
  assert(address, `the portal printed no address, but: ${line}`);

  browser = await puppeteer.launch({
    // In a single process, a page that is closed can take the browser with it.
    args: chromium.args.filter((flag) => flag !== "--single-process"),
    executablePath: await chromium.executablePath(),
    headless: "shell",
  });
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
  const text = () => page.$eval("body", (body) => body.innerText);
  const click = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
  const names = () => page.$$eval("td:first-child", (cells) => cells.map((cell) => cell.innerText));
  const field = (name) => page.$eval(`input[name=${name}]`, (input) => input.value);

  // Search.
  await page.goto(address);
  assert.equal((await names()).length, 20);
  await page.type("input[name=search]", "0007@");
  await click("form button");
  assert.deepEqual(await names(), ["user0007@example.com"]);

  // Edit. HTML in a name stays text.
  await click("td a");
  const user = page.url();
  await page.$eval("input[name=familyName]", (input) => (input.value = ""));
  await page.type("input[name=familyName]", "<b>Roe</b>");
  await click("form[method=post] button");
  assert.equal(await field("familyName"), "<b>Roe</b>");
  assert.equal(await page.$("b"), null);

  // Deactivate, and reactivate.
  await click("button[name=active]");
  assert.match(await text(), /May not sign in/);
  await click("button[name=active]");
  assert.match(await text(), /May sign in/);
  assert.deepEqual(problems, []);

  // A page of another origin can neither change a user nor frame the portal.
  const form = `<form method="post" action="${user}"><button name="active" value="false">Win a prize</button></form>`;
  hostile = http.createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html>${form}<iframe src="${user}"></iframe>`);
  });
  await once(hostile.listen(0, "127.0.0.1"), "listening");
  const trap = await browser.newPage();
  await trap.goto(`http://127.0.0.1:${hostile.address().port}/`);
  const framed = trap.frames().find((frame) => frame !== trap.mainFrame());
  assert(framed && !framed.url().startsWith(address), "the portal can be framed");
  const [answer] = await Promise.all([trap.waitForNavigation(), trap.click("button")]);
  assert.equal(answer.status(), 403);
  await page.goto(user);
  assert.match(await text(), /May sign in/);

  // A phone. Nothing is wider than its screen, and the fields stand below each other.
  await page.setViewport({ width: 390, height: 844, isMobile: true, deviceScaleFactor: 2 });
  for (const url of [address, user]) {
    await page.goto(url);
    const [width, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert(screen === 390 && width <= 390, `${url} is ${width} wide on a screen of ${screen}`);
  }
  const lefts = await page.$$eval("form[method=post] label input", (fields) =>
    fields.map((field) => field.getBoundingClientRect().left),
  );
  assert.equal(lefts.length, 3);
  assert.equal(new Set(lefts).size, 1, `the fields begin at ${lefts}`);

  // Ctrl-C stops the portal, whatever is still connected.
  const idle = net.connect(new URL(address).port, "127.0.0.1").on("error", () => {});
  await once(idle, "connect");
  await browser.close();
  portal.kill("SIGINT");
  const [status] = await ended;
  assert.equal(status, 0, `Ctrl-C ends the portal with ${status}`);
  idle.destroy();
  console.log("the portal works in a browser");
} finally {
  hostile?.close();
  hostile?.closeAllConnections();
  await browser?.close();
  portal.kill("SIGKILL");
}
