import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Listeners } from "../../src/image/listeners.ts";

test("listeners hear of a size that is another one, until they are disposed of", () => {
  const listeners = new Listeners();
  const sizes: number[] = [];
  const listening = listeners.onResize((size) => sizes.push(size));
  listeners.resized(1, 1);
  listeners.resized(1, 2);
  listening[Symbol.dispose]();
  listeners.resized(2, 3);
  assert.deepEqual(sizes, [2]);
});

test("a listener that throws keeps none of the others from hearing, and nothing from going on", async () => {
  const listeners = new Listeners();
  const heard: string[] = [];
  listeners.onChange(() => {
    throw new Error("a listener's own");
  });
  listeners.onChange(() => heard.push("second"));
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  try {
    const thrown = once(process, "uncaughtException");
    listeners.changed();
    assert.deepEqual(heard, ["second"]);
    assert.match(String(await thrown), /a listener's own/);
  } finally {
    for (const other of others) process.on("uncaughtException", other);
  }
});
