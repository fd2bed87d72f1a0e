import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import type { RbdError } from "../../src/errors.ts";
import type { ImageHeader } from "../../src/header/image-header.ts";
import { Ending } from "../../src/image/ending.ts";

function open() {
  const failures: Error[] = [];
  let requestsClosed = 0;
  const ending = new Ending({
    header: { name: "a" } as ImageHeader,
    io: { failWrites: (error) => void failures.push(error) },
    requests: { close: () => void requestsClosed++ },
  });
  return { ending, failures, closed: () => requestsClosed };
}

const failed = (code: "ESHUTDOWN" | "ENOENT" | "ETIMEDOUT") => new RadosError(code, code);

test("an image is closed once, and takes no request after that", () => {
  const { ending, closed } = open();
  ending.assertOpen();
  assert.deepEqual([ending.close(), ending.close()], [true, false]);
  assert.throws(() => ending.assertOpen(), { code: "SIPHON_RBD_CLOSED" });
  assert.equal(closed(), 1);
  assert.ok(ending.signal.aborted);
});

test("a client on the blocklist fails all writes, for good, by the first reason", () => {
  const { ending, failures } = open();
  assert.ok(ending.isFinal(failed("ESHUTDOWN")));
  assert.ok(ending.isFinal(failed("ENOENT")));
  assert.throws(() => ending.assertOpen(), { code: "SIPHON_RBD_FENCED" });
  for (const error of failures) assert.equal((error as RadosError).code, "SIPHON_RBD_FENCED");
  assert.ok(failures.length > 0);
});

test("an image that is gone ends, and one whose header cannot be read for now does not", () => {
  const { ending, failures } = open();
  assert.equal(ending.isFinal(failed("ETIMEDOUT")), false);
  ending.assertOpen();
  assert.deepEqual(failures, []);
  assert.ok(ending.isFinal(failed("ENOENT")));
  assert.throws(() => ending.assertOpen(), /image a was removed while it was open/);
});

test("after a fault of the program no write goes on by what the header said before", () => {
  const { ending, failures } = open();
  const fault = new TypeError("a bug");
  assert.ok(ending.isFinal(fault));
  assert.throws(() => ending.assertOpen(), { code: "SIPHON_RBD_CLOSED", cause: fault });
  assert.equal((failures[0] as RbdError).code, "SIPHON_RBD_CLOSED");
});

test("a watch that is gone for good ends the image by what ended the watch", () => {
  const { ending } = open();
  ending.unwatched(failed("ESHUTDOWN"));
  assert.equal(ending.failure?.code, "SIPHON_RBD_FENCED");
});
