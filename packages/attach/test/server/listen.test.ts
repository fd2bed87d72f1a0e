import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isLoopback, listenAt, parseListenAddress } from "../../src/server/listen.ts";

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-listen-"));
});

after(() => rm(directory, { recursive: true }));

test("an address is a host and a port, or the path of a socket", () => {
  assert.deepEqual(parseListenAddress("127.0.0.1:10809"), { host: "127.0.0.1", port: 10809 });
  assert.deepEqual(parseListenAddress("[::1]:10809"), { host: "::1", port: 10809 });
  assert.deepEqual(parseListenAddress("/run/a:1"), { path: "/run/a:1" });
  assert.deepEqual(parseListenAddress("vm1.sock"), { path: "vm1.sock" });
  assert.deepEqual(parseListenAddress("host:99999"), { path: "host:99999" });
});

test("only this machine's own addresses are loopback", () => {
  for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) assert.ok(isLoopback(host), host);
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "127.example.org", ""])
    assert.ok(!isLoopback(host), host);
});

test("a socket is its owner's alone, and the process's file mode mask stays as it was", async () => {
  const mask = process.umask();
  const path = join(directory, "private");
  const server = createServer();
  await listenAt(server, { path });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(process.umask(), mask);
  server.close();
});

test("a socket in use is left alone", async () => {
  const path = join(directory, "used");
  const server = createServer();
  await listenAt(server, { path });
  await assert.rejects(listenAt(createServer(), { path }), {
    code: "SIPHON_ATTACH_SOCKET_BUSY",
    message: `another program is listening on ${path}`,
  });
  assert.ok(server.listening);
  server.close();
});

test("a socket that a killed process left is taken over", async () => {
  const path = join(directory, "dead");
  const code = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
  const killed = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(killed.stdout, "data");
  killed.kill("SIGKILL");
  await once(killed, "exit");
  assert.ok((await lstat(path)).isSocket());
  const server = createServer();
  await listenAt(server, { path });
  assert.ok(server.listening);
  server.close();
});

test("a file that is not a socket is never removed", async () => {
  const path = join(directory, "file");
  await writeFile(path, "mine");
  await assert.rejects(listenAt(createServer(), { path }), {
    code: "SIPHON_ATTACH_SOCKET",
    message: /is not a socket/,
  });
  assert.ok((await lstat(path)).isFile());
});

test("where the directory of a socket is missing, that is said", async () => {
  const path = join(directory, "missing", "socket");
  for (const keeper of [undefined, { take: () => undefined, keep: () => {}, leaves: () => false }]) {
    await assert.rejects(listenAt(createServer(), { path }, undefined, undefined, keeper), {
      code: "SIPHON_ATTACH_SOCKET",
      message: /there is no directory .*missing for the socket/,
    });
  }
});

test("a port in use is an error that says so", async () => {
  const server = createServer();
  await listenAt(server, { host: "127.0.0.1", port: 0 });
  const { port } = server.address() as { port: number };
  await assert.rejects(listenAt(createServer(), { host: "127.0.0.1", port }), {
    code: "SIPHON_ATTACH_SOCKET_BUSY",
  });
  server.close();
});
