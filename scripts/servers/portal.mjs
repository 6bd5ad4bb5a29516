// Uses the portal in a browser as a person does: portal.mjs MODULES WATS-SCIM
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { contrast, tree } from "./portal-checks.mjs";

const [modules, program] = process.argv.slice(2);
const { resolve } = createRequire(`${modules}/package.json`);
// What `require` finds is a CommonJS module, which may hold its default in a field.
const load = async (name) => {
  const loaded = (await import(pathToFileURL(resolve(name)))).default;
  return loaded.default ?? loaded;
};
const [chromium, puppeteer] = [await load("@sparticuz/chromium"), await load("puppeteer-core")];

const home = await mkdtemp(join(tmpdir(), "wats-scim-portal-"));
const env = { PATH: process.env.PATH, WATS_SCIM_HOME: home };
const started = [];
/** Starts the command, and returns so many lines of its output. */
const start = async (args, lines, input = "") => {
  const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  started.push(child);
  child.ended = once(child, "exit");
  child.stdin.end(input);
  const output = createInterface(child.stdout)[Symbol.asyncIterator]();
  const read = [];
  while (read.length < lines) read.push((await output.next()).value);
  return [child, read];
};
const password = "correct horse battery";

let browser;
let hostile;
try {
  const [, exports] = await start(["sandbox", "--users", "60", "--quiet"], 2);
  for (const line of exports) {
    const [, name, value] = /^export (\w+)=(.*)$/.exec(line);
    env[name] = value;
  }
  const [adding] = await start(["portal", "password", "ann", "--quiet"], 0, `${password}\n`);
  assert.equal((await adding.ended)[0], 0, "the password of ann is not kept");
  const [portal, [line]] = await start(["portal", "--passwords", "--listen", "127.0.0.1:0", "--quiet"], 1);
  const address = /^(http:\/\/127\.0\.0\.1:\d+)\/$/.exec(line)?.[1];
  assert(address, `the portal printed no address, but: ${line}`);

  browser = await puppeteer.launch({
    // In a single process, a page that is closed can take the browser with it.
    args: chromium.args.filter((flag) => flag !== "--single-process"),
    executablePath: await chromium.executablePath(),
    headless: "shell",
  });
  const page = await browser.newPage();
  await page.setViewport({ width: 1200, height: 900 });
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("requestfailed", (request) => {
    // A search that is overtaken by the next one.
    if (!request.url().endsWith("/search")) problems.push(`${request.url()} failed`);
  });
  page.on("response", (response) => {
    const isPage = response.request().isNavigationRequest();
    if (!isPage && response.status() >= 400) problems.push(`${response.url()}: ${response.status()}`);
  });
  page.on("console", (message) => {
    // Chrome says so of each answer with an error, such as the page to sign in.
    if (!/status of 4\d\d/.test(message.text())) problems.push(`console: ${message.text()}`);
  });
  // What the policy forbids is a problem, too.
  await page.evaluateOnNewDocument(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error("CSP", event.violatedDirective));
  });
  const text = () => page.$eval("body", (body) => body.innerText);
  const leads = (work) => Promise.all([page.waitForNavigation(), work()]).then(([answer]) => answer);
  const click = (selector) => leads(() => page.click(selector));
  const names = () => page.$$eval("tbody .login", (cells) => cells.map((cell) => cell.innerText));
  const field = (name) => page.$eval(`#${name}`, (input) => input.value);
  const focused = () =>
    page.evaluate(() => document.activeElement.innerText?.trim() || document.activeElement.id || "nothing");
  // A browser moves the focus to what has `autofocus` when it draws the page: that can be after the page was loaded.
  const focuses = async (expected, otherwise) => {
    const ends = Date.now() + 10_000;
    while ((await focused()) !== expected && Date.now() < ends) await sleep(20);
    assert.equal(await focused(), expected, otherwise);
  };
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };

  // Sign in, with the keyboard alone: the name is ready to be typed.
  assert.equal((await page.goto(address)).status(), 401);
  await tree(page, { heading: ["Sign in"], textbox: ["Name", "Password"], button: ["Sign in"], main: [""], banner: [""] });
  await focuses("name");
  await page.keyboard.type("ann");
  await press("Tab");
  await page.keyboard.type("wrong");
  assert.equal((await leads(() => press("Enter"))).status(), 401);
  await tree(page, { alert: [""], textbox: ["Name", "Password"] });
  assert.match(await text(), /The name or the password is wrong/);
  await focuses("password");
  await page.keyboard.type(password);
  assert.equal((await leads(() => press("Enter"))).status(), 200);
  assert.match(await text(), /Signed in as\s+ann/);
  const [cookie] = await page.cookies();
  assert(cookie.httpOnly && cookie.sameSite === "Strict", JSON.stringify(cookie));
  assert.equal(await page.evaluate(() => document.cookie), "", "a script can read the session");

  // The list.
  assert.equal((await names()).length, 20);
  await tree(page, {
    heading: ["Users"],
    search: [""],
    searchbox: ["Search users"],
    status: [""],
    columnheader: ["Name", "Email", "Status"],
    table: ["Users"],
    navigation: ["Pages"],
    button: ["Search", "Sign out"],
  });
  await click("a[rel=next]");
  assert.equal((await names())[0], "user0021@example.com");

  // The skip link is the first, and the search is a few steps away. It searches as one types.
  await page.goto(address);
  await press("Tab");
  await focuses("Skip to the content");
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineWidth);
  assert.equal(ring, "3px", "the focus cannot be seen");
  await press("Enter", "Tab");
  await focuses("search");
  const top = () => page.$eval("#results", (results) => results.offsetTop);
  const before = await top();
  await page.keyboard.type("0007@");
  await page.waitForFunction(() => document.getElementById("count").textContent.includes("1 user found"));
  assert.deepEqual(await names(), ["user0007@example.com"]);
  assert.equal(await top(), before, "the page moves while one types");
  await focuses("search");
  assert.match(page.url(), /\/\?search=[0-9a-f]{64}$/, "the search is in the URL");
  await page.reload();
  assert.deepEqual([await field("search"), await names()], ["0007@", ["user0007@example.com"]]);

  // Edit, still with the keyboard. HTML in a name stays text.
  await page.focus("#search");
  await press("Tab", "Tab");
  await focuses("Sample User 0007");
  await leads(() => press("Enter"));
  const user = page.url();
  const labels = ["Given name", "Family name", "Full name", "Email"];
  await tree(page, { heading: ["Sample User 0007", "Details", "Access"], textbox: labels, link: ["Deactivate…"] });
  await page.focus("#familyName");
  await page.$eval("#familyName", (input) => input.select());
  await page.keyboard.type("<b>Roe</b>");
  await leads(() => press("Enter"));
  assert.equal(await field("familyName"), "<b>Roe</b>");
  assert.equal(await page.$("b"), null);
  await focuses("The changes are saved.", "a screen reader does not read the outcome");
  await tree(page, { status: [""] });

  // A mistake stays in the form, with a message that belongs to its field.
  await page.$eval("#givenName", (input) => (input.value = ""));
  assert.equal((await click("section form button")).status(), 400);
  const [wrong] = await tree(page, { alert: [""], textbox: labels });
  assert(wrong.find((node) => node.name === "Given name").description.includes("cannot be empty"));

  // Deactivate after a question, by the keyboard, and activate.
  await page.goto(user);
  await page.focus("a.button.bad");
  await leads(() => press("Enter"));
  await tree(page, { heading: [/^Deactivate .*\?$/], button: ["Deactivate"], link: ["Cancel"] });
  await leads(() => page.focus("main form button").then(() => press("Space")));
  await focuses("The user is deactivated.");
  assert.match(await text(), /This user cannot sign in/);
  await click("section a.button");
  await click("main form button");
  assert.match(await text(), /The user is activated[^]*This user can sign in/);
  const trail = (await readFile(join(home, "trail.jsonl"), "utf8")).trim().split("\n");
  assert.equal(trail.length, 6);
  assert(trail.every((line) => JSON.parse(line).label === "ann"), trail.join("\n"));
  assert.deepEqual(problems, []);

  // Light and dark, on a desk and a phone: each text can be read, and nothing is wider than the screen.
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    for (const width of [1200, 390, 320]) {
      await page.setViewport({ width, height: 844, isMobile: width < 1000, deviceScaleFactor: 1 });
      for (const url of [address, `${user}?done=saved`, `${user}/deactivate`, `${address}/elsewhere`]) {
        await page.goto(url);
        const [whole, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
        assert(screen === width && whole <= width, `${url} is ${whole} wide on a screen of ${screen}`);
        const poor = await page.evaluate(contrast);
        assert.deepEqual(poor, [], `${url} is hard to read (${scheme})`);
        const small = await page.$$eval("button, .button, input:not([type=hidden]):not([hidden])", (all) =>
          all.map((one) => one.getBoundingClientRect().height).filter((height) => height < 44),
        );
        assert.deepEqual(small, [], `${url} has what a finger misses`);
        const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor === "rgb(20, 23, 28)");
        assert.equal(dark, scheme === "dark");
        if (process.env.SHOTS) {
          const name = `${scheme}-${width}-${new URL(url).pathname.replaceAll("/", "_")}.png`;
          await page.screenshot({ path: join(process.env.SHOTS, name), fullPage: true });
        }
      }
    }
  }
  await page.setViewport({ width: 390, height: 844, isMobile: true, deviceScaleFactor: 1 });
  await page.goto(user);
  const lefts = await page.$$eval(".fields input:not([hidden])", (fields) =>
    fields.map((field) => field.getBoundingClientRect().left),
  );
  assert.equal(lefts.length, 4);
  assert.equal(new Set(lefts).size, 1, `the fields begin at ${lefts}`);

  // Without scripts, the button searches.
  await page.setJavaScriptEnabled(false);
  await page.goto(address);
  await page.type("#search", "0008@");
  await click(".search button");
  assert.deepEqual(await names(), ["user0008@example.com"]);
  await page.setJavaScriptEnabled(true);
  assert.deepEqual(problems, []);

  // A page of another origin can neither change a user nor frame the portal.
  const form = `<form method="post" action="${user}/deactivate"><button>Win a prize</button></form>`;
  hostile = http.createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html>${form}<iframe src="${user}"></iframe>`);
  });
  await once(hostile.listen(0, "127.0.0.1"), "listening");
  const trap = await browser.newPage();
  // The same host on another port: the cookie is sent along.
  await trap.goto(`http://127.0.0.1:${hostile.address().port}/`);
  const framed = trap.frames().find((frame) => frame !== trap.mainFrame());
  assert(framed && !framed.url().startsWith(address), "the portal can be framed");
  const [answer] = await Promise.all([trap.waitForNavigation(), trap.click("button")]);
  assert.equal(answer.status(), 403);
  await page.goto(user);
  assert.match(await text(), /This user can sign in/);

  // A script that gets into a page does not run.
  const ran = await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", `<img src="/icon.svg?2" onload="window.ran = true">`);
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    return new Promise((done) => setTimeout(() => done(window.ran ?? false), 300));
  });
  assert.equal(ran, false, "a script in a page runs");

  // Sign out. The way back shows nothing.
  await click("header button");
  await page.goBack();
  assert.match(await text(), /Sign in/);
  assert.doesNotMatch(await text(), /user0007/);

  // Ctrl-C stops the portal, whatever is still connected.
  const idle = net.connect(new URL(address).port, "127.0.0.1").on("error", () => {});
  await once(idle, "connect");
  await browser.close();
  portal.kill("SIGINT");
  const [status] = await portal.ended;
  assert.equal(status, 0, `Ctrl-C ends the portal with ${status}`);
  idle.destroy();
  console.log("the portal works in a browser");
} finally {
  hostile?.close();
  hostile?.closeAllConnections();
  await browser?.close();
  for (const child of started) child.kill("SIGKILL");
  await rm(home, { recursive: true, force: true });
}
