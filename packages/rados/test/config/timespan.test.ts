import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTimespan } from "../../src/config/timespan.ts";

test("times are numbers of seconds, or have units", () => {
  const times = {
    "30": 30,
    "2.5": 2.5,
    "0": 0,
    "30s": 30,
    "5 min": 300,
    "1h 30m": 5400,
    "1h30m": 5400,
    "2 weeks": 1_209_600,
  };
  for (const [text, seconds] of Object.entries(times)) assert.equal(parseTimespan(text), seconds, text);
});

test("other text is no time", () => {
  for (const text of ["", "s", "-1", "1 fortnight", "30s!", "1e3", "1h 30"])
    assert.equal(parseTimespan(text), undefined, text);
});
