import assert from "node:assert/strict";
import { test } from "node:test";
import { ceilings } from "../../src/crypto/ceiling.ts";
import { ceilingHeadline, ceilingSentences, smallBlockSentence } from "../../src/crypto/words.ts";
import { exampleCrypto } from "./fixtures.ts";

const results = exampleCrypto();

test("the headline names the fastest and the study", () => {
  assert.equal(
    ceilingHeadline(ceilings(results, 3)),
    "One core decrypts 461,000 frames of 16 KiB a second here (Node, EVP by koffi); in the study, 246,000.",
  );
});

test("the sentences say what threads carry, and what a measured run asks of them", () => {
  const iops = { median: 87_000, low: 86_000, high: 88_000 };
  const say = (encrypted: boolean, count = iops) => {
    const measured = { rung: "secure", iops: count, encrypted };
    return ceilingSentences(ceilings(results, 3, measured), 3, measured);
  };
  const [threads, run] = say(true);
  assert.match(
    threads,
    /^3 messenger threads that did nothing but decrypt would carry 714,000 IOPS by openssl speed/,
  );
  assert.match(threads, /14 to 20\s% of their time.*can carry 100,000 to 143,000/);
  assert.match(run, /“secure”, 87,000 IOPS, decryption takes 12\s% of their time: it is not what limits/);
  assert.match(say(true, { ...iops, median: 600_000 })[1], /84\s% of their time: it is most of what limits/);
  assert.match(say(false)[1], /no encrypted rung\. At “secure”.* would take 12\s%/);
});

test("small blocks are held against large ones", () => {
  assert.match(smallBlockSentence(results)!, /^In blocks of 16 bytes a byte costs 74\.1 times as much/);
  assert.equal(smallBlockSentence(exampleCrypto({ series: [] })), undefined);
});
