import assert from "node:assert/strict";
import { test } from "node:test";
import { inOneLine } from "../../src/host/command.ts";

test("what ssh says in several lines, each ended as a terminal needs it, is one line", () => {
  const said =
    "Read from remote host 192.0.2.1: Connection reset by peer\r\nclient_loop: send disconnect: Broken pipe\r\n";
  assert.equal(
    inOneLine(said),
    "Read from remote host 192.0.2.1: Connection reset by peer | client_loop: send disconnect: Broken pipe",
  );
  assert.equal(inOneLine("\n"), "");
});
