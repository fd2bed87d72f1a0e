import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { listenAt } from "../../src/server/listen.ts";
import type { SocketAccess } from "../../src/server/socket-access.ts";

const directory = mkdtempSync(join(tmpdir(), "unix-socket-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Giving files away is root's alone. */
const needsRoot = { skip: process.geteuid!() !== 0 };
const somebody: SocketAccess = { uid: 64055, gid: 12345, mode: 0o660 };

async function served(path: string, access?: SocketAccess): Promise<Server> {
  const server = createServer();
  await listenAt(server, { path }, access);
  return server;
}

function seen(path: string): [number, number, string] {
  const { uid, gid, mode } = lstatSync(path);
  return [uid, gid, (mode & 0o777).toString(8)];
}

test("a socket has the owner, the group and the mode that it is to have", needsRoot, async () => {
  const path = join(directory, "given");
  const [uid, gid] = [process.getuid!(), process.getgid!()];
  for (const [access, expected] of [
    [undefined, [uid, gid, "600"]],
    [{ mode: 0o666 }, [uid, gid, "666"]],
    [{ uid: 64055, mode: 0o600 }, [64055, gid, "600"]],
    [{ gid: 12345, mode: 0o660 }, [uid, 12345, "660"]],
    [somebody, [64055, 12345, "660"]],
  ] as const) {
    const server = await served(path, access);
    assert.deepEqual(seen(path), expected);
    await once(server.close(), "close");
    rmSync(path, { force: true });
  }
  assert.deepEqual(readdirSync(directory), []);
});

test(
  "nobody ever finds it with another owner or mode, nor open to others beside its place",
  needsRoot,
  async () => {
    const own = mkdtempSync(join(directory, "watched-"));
    const path = join(own, "s");
    const code = `
    const { lstatSync } = require("fs");
    const all = new Set();
    process.once("message", () => { look(${JSON.stringify(path)}); process.send([...all]); });
    const state = (path) => {
      const found = lstatSync(path, { throwIfNoEntry: false });
      return found && [path.at(-1), found.uid, found.gid, (found.mode & 0o777).toString(8)].join(" ");
    };
    // The kernel changes owner and group one after the other, and stat(2) takes no lock: what was true is there at the next look, too.
    const look = (path) => {
      let found = state(path);
      for (let next; found && (next = state(path)) !== found; ) found = next;
      if (found) all.add(found);
    };
    const round = () => {
      for (let i = 0; i < 2000; i++) { look(${JSON.stringify(path)}); look(${JSON.stringify(`${path}~`)}); }
      setImmediate(round);
    };
    round();
    process.send("looking");`;
    const watcher = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    await once(watcher, "message");
    for (let round = 0; round < 150; round++) {
      const server = await served(path, somebody);
      server.close();
      rmSync(path, { force: true });
    }
    // However seldom the watcher had its turn, it sees this one.
    const last = await served(path, somebody);
    const told = once(watcher, "message");
    watcher.send("tell");
    const [[...all]] = (await told) as [string[]];
    last.close();
    rmSync(path);
    watcher.kill("SIGKILL");
    const [uid, gid] = [process.getuid!(), process.getgid!()];
    const allowed = ["s 64055 12345 660", "~ 64055 12345 660", "~ 64055 12345 600", `~ ${uid} ${gid} 600`];
    assert.deepEqual(
      all.filter((each) => !allowed.includes(each)),
      [],
    );
    assert.ok(all.includes("s 64055 12345 660"));
  },
);

test(
  "of several servers that begin at once one gets the socket, and the others are told so",
  needsRoot,
  async () => {
    const path = join(directory, "raced");
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => served(path, somebody)));
    const servers = outcomes.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    assert.equal(servers.length, 1);
    for (const each of outcomes) {
      if (each.status === "rejected") assert.equal(each.reason.code, "SIPHON_ATTACH_SOCKET_BUSY");
    }
    await assert.rejects(served(path, somebody), { code: "SIPHON_ATTACH_SOCKET_BUSY" });
    await assert.rejects(served(path), { code: "SIPHON_ATTACH_SOCKET_BUSY" });
    assert.equal(servers[0]!.listening, true);
    servers[0]!.close();
    rmSync(path);
  },
);

test("what killed servers left, at the place and beside it, is replaced", needsRoot, async () => {
  const path = join(directory, "dead");
  const code = `
    const { createServer } = require("net");
    createServer().listen(${JSON.stringify(path)}, () => createServer().listen(${JSON.stringify(`${path}~`)}, () => console.log("up")));`;
  const killed = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(killed.stdout, "data");
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const server = await served(path, somebody);
  assert.deepEqual(seen(path), [64055, 12345, "660"]);
  server.close();
  rmSync(path);
});

test("a file at the place stays, and nothing is left beside it", async () => {
  const own = mkdtempSync(join(directory, "file-"));
  const path = join(own, "s");
  writeFileSync(path, "mine");
  for (const access of [undefined, { gid: process.getgid!(), mode: 0o660 }]) {
    await assert.rejects(served(path, access), { code: "SIPHON_ATTACH_SOCKET", message: /is not a socket/ });
  }
  assert.deepEqual(readdirSync(own), ["s"]);
});

test("a path that is too long is refused: no socket appears under the beginning of it", async () => {
  const own = mkdtempSync(join(directory, "long-"));
  await assert.rejects(served(join(own, "x".repeat(107 - own.length))), {
    code: "SIPHON_ATTACH_SOCKET",
    message: /too long/,
  });
  assert.deepEqual(readdirSync(own), []);
});
