import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { LiveRun } from "../../src/live-page/live-run.ts";
import { LiveServer, latestOnly } from "../../src/live-page/server.ts";
import type { StepRunner } from "../../src/step.ts";
import { exampleResults, hostile } from "../fixtures/results.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";

const quietly: StepRunner = (_title, work) => work(() => {});

/** Asks as no browser would; the answer's body is not read yet. */
async function ask(url: string, path: string, options: RequestOptions = {}): Promise<IncomingMessage> {
  const { port } = new URL(url);
  const asked = request({ host: "127.0.0.1", port, path, agent: false, ...options });
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return answer;
}

async function statusOf(url: string, path: string, options?: RequestOptions): Promise<number | undefined> {
  const answer = await ask(url, path, options);
  answer.resume();
  await once(answer, "end");
  return answer.statusCode;
}

const pathOf = (url: string) => new URL(url).pathname;

test("the page is for who has its address: other tokens, hosts, files and methods are refused", async () => {
  await using server = await LiveServer.start(new LiveRun(), "a run");
  const { url } = server;
  const path = pathOf(url);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
  assert.equal(await statusOf(url, path), 200);
  for (const wrong of [
    ...["/", "/events", "//", "/x/", `${path.slice(0, -2)}x/`, `${path.slice(0, -1)}x/events`],
    ...[path.slice(0, -1), `${path}index.html`, `${path}../../etc/passwd`, `${path}events/`],
  ]) {
    assert.equal(await statusOf(url, wrong), 404, wrong);
  }
  for (const host of ["siphon.example", "127.0.0.1", "127.0.0.1:1", `siphon.example:${new URL(url).port}`]) {
    assert.equal(await statusOf(url, path, { headers: { host } }), 403, host);
  }
  assert.equal(await statusOf(url, path, { headers: { host: `localhost:${new URL(url).port}` } }), 200);
  for (const method of ["POST", "PUT", "HEAD"]) assert.equal(await statusOf(url, path, { method }), 405);
});

test("the page is kept nowhere, framed nowhere, and loads nothing but its events", async () => {
  await using server = await LiveServer.start(new LiveRun(), hostile);
  const answer = await ask(server.url, pathOf(server.url));
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["content-security-policy"], "frame-ancestors 'none'");
  const text = (await answer.setEncoding("utf8").toArray()).join("");
  assert.match(text, /default-src &#39;none&#39;.*connect-src &#39;self&#39;/);
  assert.ok(!text.includes(hostile));
});

test("two servers have two tokens", async () => {
  await using one = await LiveServer.start(new LiveRun(), "one");
  await using other = await LiveServer.start(new LiveRun(), "other");
  assert.notEqual(pathOf(one.url), pathOf(other.url));
  assert.equal(await statusOf(one.url, pathOf(other.url)), 404);
});

test("a reader hears what there is, what comes, and how the run failed; then the server is gone", async () => {
  const run = new LiveRun();
  const server = await LiveServer.start(run, "a run");
  await run.steps(quietly)("First", async (report) => report("doing it"));
  const answer = await ask(server.url, `${pathOf(server.url)}events`);
  assert.equal(answer.headers["content-type"], "text/event-stream");
  await run.show(() => exampleResults(), 90);
  await run.end({ failure: "osd.0 died" });
  await server[Symbol.asyncDispose]();
  const text = (await answer.setEncoding("utf8").toArray()).join("");
  const events = text
    .trim()
    .split("\n\n")
    .map((each) => /^event: (\w+)\ndata: (.*)$/s.exec(each)!);
  assert.deepEqual(
    events.map(([, kind]) => kind),
    ["state", "charts", "state", "state"],
  );
  const [first, charts, , last] = events.map(([, , data]) => JSON.parse(data!));
  assert.deepEqual(first.steps, [{ title: "First", seconds: 0 }]);
  assert.match(charts.ladder.wide, /^<svg.*virtio-blk/s);
  assert.deepEqual(last.ended, { failure: "osd.0 died" });
  await assert.rejects(statusOf(server.url, pathOf(server.url)), { code: "ECONNREFUSED" });
});

test("a slow reader still receives the last event", async () => {
  const run = new LiveRun();
  const server = await LiveServer.start(run, "a run");
  const answer = await ask(server.url, `${pathOf(server.url)}events`);
  const text = answer.setEncoding("utf8").toArray();
  // More than fits into what waits to be sent.
  await run.steps(quietly)("x".repeat(2 ** 20), async () => {});
  await run.end({ failure: "osd.0 died" });
  await server[Symbol.asyncDispose]();
  const last = (await text).join("").trim().split("\n\n").at(-1)!;
  assert.match(last, /"ended":\{"failure":"osd\.0 died"\}/);
});

test("a reader who reads nothing holds up neither the run nor the end of the server", async () => {
  const run = new LiveRun();
  const server = await LiveServer.start(run, "a run");
  const answer = await ask(server.url, `${pathOf(server.url)}events`);
  answer.pause();
  const step = run.steps(quietly)("Long", async (report) => {
    for (let line = 0; line < 10_000; line++) report(`${line} ${"x".repeat(1000)}`);
  });
  await step;
  await run.end({});
  await server[Symbol.asyncDispose]();
  answer.destroy();
});

test("of what a slow reader has not taken, only the latest of each kind waits", () => {
  const written: string[] = [];
  let drain = () => {};
  let room = 1;
  const watcher = latestOnly({
    write: (text: string) => {
      written.push(text);
      return --room > 0;
    },
    on: (_event: string, listener: () => void) => {
      drain = listener;
    },
  } as never);
  const state = (doing: string) => ({ began: 0, steps: [], doing });
  const charts = (wide: string) => ({ ladder: { wide, narrow: "" } });
  for (const text of ["a", "b", "c"]) {
    watcher.state(state(text));
    watcher.charts(charts(text));
  }
  assert.equal(written.length, 1);
  room = 10;
  drain();
  const heard = written.map((text) => /^event: (\w+)\n.*"(?:doing|wide)":"(\w)"/.exec(text)!.slice(1));
  assert.deepEqual(heard, [
    ["state", "a"],
    ["charts", "c"],
    ["state", "c"],
  ]);
  watcher.state(state("d"));
  assert.equal(written.length, 4);
});

test("charts are drawn only while somebody looks, and not at every slice", async () => {
  let now = 0;
  let asked = 0;
  const run = new LiveRun(() => now);
  const results = () => {
    asked++;
    return exampleResults();
  };
  const show = () => run.show(results, undefined);
  await show();
  assert.equal(asked, 0);
  let drawn = 0;
  const leave = run.watch({ state: () => {}, charts: () => drawn++ });
  await show();
  await show();
  assert.deepEqual([asked, drawn], [1, 1]);
  now += 2_000;
  await show();
  assert.deepEqual([asked, drawn], [2, 2]);
  leave();
  now += 2_000;
  await show();
  assert.equal(asked, 2);
});

test("a chart that cannot be drawn ends no run", async () => {
  const run = new LiveRun();
  let heard = 0;
  run.watch({ state: () => heard++, charts: () => assert.fail() });
  await run.show(() => {
    throw new Error("no results");
  }, undefined);
  assert.equal(heard, 2);
});

test("more readers than a person has are turned away", async () => {
  await using server = await LiveServer.start(new LiveRun(), "a run");
  const path = `${pathOf(server.url)}events`;
  const answers = [];
  for (let reader = 0; reader < 8; reader++) answers.push(await ask(server.url, path));
  assert.equal(await statusOf(server.url, path), 503);
  for (const answer of answers) answer.destroy();
});

describe("the page of a run in a browser", { skip: noChromium, timeout: 240_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());

  for (const [width, colorScheme] of [
    [1280, "light"],
    [360, "dark"],
  ] as const) {
    test(`at ${width} px, ${colorScheme}: it follows the run to its end, and says where the report is`, async () => {
      const run = new LiveRun();
      const server = await LiveServer.start(run, "a run");
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      const page = await context.newPage();
      const heard: string[] = [];
      page.on("console", (message) => heard.push(message.text()));
      page.on("pageerror", (error) => heard.push(error.message));
      await page.goto(server.url);
      const goes = Promise.withResolvers<void>();
      const step = run.steps(quietly)("Climb", (report) => {
        report(hostile);
        return goes.promise;
      });
      await page.getByRole("heading", { name: "Climb" }).waitFor();
      await page.getByText("onerror").waitFor();
      assert.equal(await page.locator("img").count(), 0);
      await run.show(() => exampleResults({ sliced: true }), 75);
      const format = width > 560 ? ".wide" : ".narrow";
      await page.locator(`#chart-ladder svg${width > 1199 ? ".narrow" : format}:visible`).waitFor();
      await page.getByText(/^1:1\d$/).waitFor();
      assert.ok(Number(await page.evaluate("document.documentElement.scrollWidth")) <= width);
      const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      assert.equal(ground, colorScheme === "dark" ? "rgb(17, 22, 29)" : "rgb(255, 255, 255)");
      goes.resolve();
      await step;
      await run.end({ report: "runs/x/report.html" }, exampleResults());
      await server[Symbol.asyncDispose]();
      await page.getByRole("heading", { name: "The run is over" }).waitFor();
      assert.equal(await page.locator("#doing").textContent(), "Report: runs/x/report.html");
      assert.deepEqual(heard, []);
      await context.close();
    });
  }

  test("it says so when siphon is gone before the run has ended", async () => {
    const server = await LiveServer.start(new LiveRun(), "a run");
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.locator("#step-list").waitFor({ state: "attached" });
    await server[Symbol.asyncDispose]();
    await page.getByText("siphon no longer answers").waitFor();
    await page.close();
  });
});
