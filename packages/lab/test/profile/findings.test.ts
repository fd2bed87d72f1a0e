import assert from "node:assert/strict";
import { test } from "node:test";
import { costInWords, saturation } from "../../src/profile/findings.ts";
import type { ProfileThread } from "../../src/profile/profile.ts";
import { exampleProfile } from "./fixtures.ts";

test("saturated messenger threads are named, as in the study", () => {
  const threads = [0, 1, 2].map((number) => thread(`msgr-worker-${number}`, 99 - number));
  assert.deepEqual(said(threads), [
    "msgr-worker-0, msgr-worker-1 and msgr-worker-2 are saturated: they use 99 %, 98 % and 97 % of a core. " +
      "In the study all three messenger threads were, at the top of its ladder.",
  ]);
});

test("a saturated thread of another kind is not compared to the study", () => {
  assert.deepEqual(said([thread("CPU 0/TCG", 95), thread("msgr-worker-0", 30)]), [
    "CPU 0/TCG is saturated: it uses 95 % of a core.",
  ]);
});

test("threads of one name are counted", () => {
  const [sentence] = said([thread("io_context_pool", 94), thread("io_context_pool", 92)]);
  assert.match(sentence, /^2 × io_context_pool are saturated/);
});

test("a thread that cannot get a core is told from one that has enough", () => {
  const [sentence] = said([thread("msgr-worker-0", 60, 38), thread("idle", 0, 0)]);
  assert.equal(
    sentence,
    "msgr-worker-0 wants a core all the time but gets one for 60 % of it; for 38 % all 2 cores of the machine are taken.",
  );
});

test("where none is saturated the busiest is named; an idle process is called idle", () => {
  assert.deepEqual(said([thread("fio", 43, 12)]), [
    "No thread is saturated: the busiest, fio, uses 43 % of a core (and waits 12 % for one).",
  ]);
  assert.deepEqual(said([thread("sleep", 0)]), ["No thread is saturated: all are nearly idle."]);
});

test("the cost of each backend is said in its own way", () => {
  const cost = { ...exampleProfile().cost, attachMs: 897, stopMs: 69.5 };
  assert.match(
    costInWords(exampleProfile()),
    /one stands still for less than 0\.5 ms\. The process used 60 %.*and 64 %/,
  );
  assert.match(
    costInWords(exampleProfile({ backend: "gdb", cost })),
    /stood still for 897 ms.* 70 ms a sample/,
  );
  assert.match(costInWords(exampleProfile({ backend: "perf" })), /No thread was stopped/);
});

function said(threads: ProfileThread[]): string[] {
  return saturation({ threads, cores: 2 });
}

function thread(name: string, busy: number, delayed = 0): ProfileThread {
  return { tid: 1, name, busy, delayed };
}
