import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { listenAt } from "../../src/server/listen.ts";
import { ownerOnly } from "../../src/server/socket-access.ts";
import { KeptSockets } from "../../src/service/kept-sockets.ts";
import { ServiceManager } from "../../src/service/sd-notify.ts";
import { duplicate, listenAt as listenOn } from "../../src/vhost/native/socket.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-kept-"));
after(() => rmSync(directory, { recursive: true }));
const heir = fileURLToPath(new URL("../support/heir.ts", import.meta.url));

/** A service manager that remembers what it was told, and descriptors by their names. */
class MemoryManager extends ServiceManager {
  readonly told: string[] = [];
  readonly fds = new Map<string, number>();

  constructor() {
    super({}, assert.fail);
  }

  override tellWith(fds: readonly number[], ...states: string[]): boolean {
    this.told.push(states.join(" "));
    for (const fd of fds) this.fds.set(states[1]!.slice("FDNAME=".length), duplicate(fd));
    return true;
  }
}

function keeper(manager: ServiceManager, environment: NodeJS.ProcessEnv = {}): KeptSockets {
  return new KeptSockets(manager, environment, assert.fail);
}

/** Starts the heir with a descriptor of that name. */
function startHeir(path: string, name: string, fd: number) {
  const env = { ...process.env, LISTEN_FDS: "1", LISTEN_FDNAMES: name };
  const told = ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", process.execPath, heir, path];
  const child = spawn("sh", told, { env, stdio: ["ignore", "ignore", "inherit", fd] });
  after(() => child.kill());
  return child;
}

async function said(path: string): Promise<string> {
  return text(connect(path));
}

test("a socket is kept under a name that its successor knows, and who connected meanwhile is served by it", async () => {
  const path = join(directory, "a b:ü.sock");
  const manager = new MemoryManager();
  const sockets = keeper(manager);
  const server = createServer();
  await listenAt(server, { path }, ownerOnly, assert.fail, sockets);
  const [[name, fd]] = [...manager.fds] as [[string, number]];
  assert.match(name, /^\d+@\/[\x21-\x7e]*$/);
  assert.ok(!name.includes(":"));
  chmodSync(path, 0o666);
  sockets.leaveAll();
  assert.equal(sockets.leaves(path), true);
  server.close();
  await once(server, "close");
  const waits = said(path);
  const child = startHeir(path, name, fd);
  assert.equal(await waits, "hello from the heir");
  assert.equal(await said(path), "hello from the heir");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  child.kill();
  await once(child, "exit");
  closeSync(fd);
});

test("a socket whose file is another one now is dropped", async () => {
  const path = join(directory, "replaced.sock");
  const manager = new MemoryManager();
  const fd = listenOn(path);
  keeper(manager).keep(path, fd);
  const [[name, kept]] = [...manager.fds] as [[string, number]];
  rmSync(path);
  const child = startHeir(path, name.replace(/^\d+/, "1"), kept);
  for (const each of [fd, kept]) closeSync(each);
  let answer: string | undefined;
  // The file is there a moment before anybody listens.
  while (answer === undefined) answer = await said(path).catch(() => sleep(20));
  assert.equal(answer, "hello from the heir");
  child.kill();
  await once(child, "exit");
});

test("a server that closes while the process goes on has its socket kept no more", async () => {
  const path = join(directory, "closed.sock");
  const manager = new MemoryManager();
  const sockets = keeper(manager);
  const fd = listenOn(path);
  sockets.keep(path, fd);
  assert.equal(sockets.leaves(path), false);
  assert.equal(sockets.leaves(path), false);
  const [name] = manager.fds.keys();
  assert.deepEqual(manager.told, [`FDSTORE=1 FDNAME=${name}`, `FDSTOREREMOVE=1 FDNAME=${name}`]);
  for (const each of [fd, ...manager.fds.values()]) closeSync(each);
});

test("a socket that cannot be given its owner is closed and kept no more, and can be made anew", async () => {
  const path = join(directory, "refused.sock");
  const link = join(directory, "link.sock");
  let fd: number | undefined = listenOn(path);
  const left: string[] = [];
  const keeper = {
    take: () => {
      const taken = fd;
      fd = undefined;
      return taken;
    },
    keep: () => {},
    leaves: (path: string) => left.push(path) === 0,
  };
  linkSync(path, link);
  rmSync(path);
  writeFileSync(path, "");
  const server = createServer((socket) => socket.end("anew"));
  const listen = () => listenAt(server, { path }, ownerOnly, assert.fail, keeper);
  await assert.rejects(listen(), { code: "SIPHON_ATTACH_SOCKET" });
  assert.deepEqual(left, [path]);
  await assert.rejects(said(link), { code: "ECONNREFUSED" });
  rmSync(path);
  await listen();
  assert.equal(await said(path), "anew");
  server.close();
});

test("descriptors for another process are not taken, and the variables are", () => {
  const environment = { LISTEN_PID: "1", LISTEN_FDS: "1", LISTEN_FDNAMES: "1@/x", PATH: "/bin" };
  assert.equal(keeper(new MemoryManager(), environment).take("/x"), undefined);
  assert.deepEqual(environment, { PATH: "/bin" });
});
