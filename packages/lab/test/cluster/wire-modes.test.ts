import assert from "node:assert/strict";
import { test } from "node:test";
import { modesIn } from "../../src/cluster/wire-modes.ts";

const line = (mode: string, entity: string) =>
  `2026-11-22T22:19:35.863+0000 7fdb739176c0  1 --2- v2:127.0.0.1:6812/20488 >> 127.0.0.1:0/669693122 ` +
  `conn(0x7fdb6c011a60 0x7fdb6c0121a0 ${mode} :-1 s=READY pgs=3 cs=0 l=1 rev1=1 rx=0x7fdb6c00ca40 ` +
  `tx=0x7fdb6c0375f0).ready entity=${entity} client_cookie=0 server_cookie=0 in_seq=0 out_seq=0`;

test("an OSD's log says in which mode a client's connection came up; other daemons do not count", () => {
  const log = [line("secure", "client.4110"), line("crc", "osd.1"), "noise", line("crc", "client.4111")];
  assert.deepEqual(modesIn(log.join("\n")), ["secure", "crc"]);
  assert.deepEqual(modesIn(""), []);
});
