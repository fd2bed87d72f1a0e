import assert from "node:assert/strict";
import { test } from "node:test";
import { accountId, findAccount } from "../../src/server/accounts.ts";
import { socketAccess } from "../../src/server/socket-access.ts";

test("users and groups are found by their names, and ids are taken as they are", async () => {
  assert.equal(await accountId("user", "root"), 0);
  assert.equal(await accountId("group", "root"), 0);
  assert.equal(await accountId("user", "64055"), 64055);
  assert.equal(await accountId("group", "0"), 0);
  await assert.rejects(accountId("user", "nobody-of-this-name"), {
    code: "SIPHON_USAGE",
    message: /no user nobody-of/,
  });
  await assert.rejects(accountId("group", "-1"), { code: "SIPHON_USAGE", message: /no group -1/ });
  await assert.rejects(accountId("user", "4294967295"), { code: "SIPHON_USAGE" });
  await assert.rejects(accountId("user", ""), { code: "SIPHON_USAGE" });
});

test("an account has its id and its groups", async () => {
  const root = await findAccount("root");
  assert.deepEqual([root?.name, root?.uid, root?.gids[0]], ["root", 0, 0]);
  assert.ok(root!.gids.every(Number.isInteger));
  assert.equal(await findAccount("nobody-of-this-name"), undefined);
});

test("a socket is its owner's alone, or its group's as well where one is named, or what the mode says", async () => {
  assert.deepEqual(await socketAccess({ user: "7" }), { uid: 7, mode: 0o600 });
  assert.deepEqual(await socketAccess({ group: "8" }), { gid: 8, mode: 0o660 });
  assert.deepEqual(await socketAccess({ user: "7", group: "8", mode: "0666" }), {
    uid: 7,
    gid: 8,
    mode: 0o666,
  });
  assert.deepEqual(await socketAccess({ mode: "640" }), { mode: 0o640 });
});

test("a mode is three octal digits", async () => {
  for (const mode of ["", "66", "680", "1777", "0o660", "rw", "-660", "06600"]) {
    await assert.rejects(socketAccess({ mode }), { code: "SIPHON_USAGE", message: /invalid socket mode/ });
  }
});
