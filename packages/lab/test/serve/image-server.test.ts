import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { ImageServers } from "../../src/serve/image-server.ts";
import { ServerProcess } from "../../src/serve/server-process.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-servers-"));
after(() => rmSync(directory, { recursive: true }));

const disk = (conf: string) => ({ type: "rbd", pool: "rbd", image: "vm", user: "admin", conf }) as const;
const reason = (message: RegExp) => (error: unknown) =>
  error instanceof LabError && error.code === "SIPHON_VM" && message.test(error.message);

test("an image that cannot be served is told with the reason, by a process that serves the next one", async () => {
  await using server = new ServerProcess();
  const socket = join(directory, "disk.sock");
  for (const name of ["missing-1", "missing-2"]) {
    const conf = join(directory, name);
    await assert.rejects(
      server.attach({ disk: disk(conf), transport: "vhost", shared: false, socket }),
      reason(new RegExp(`siphon's server cannot serve rbd/vm: .*${name}`)),
    );
    assert.ok(server.isRunning);
  }
  await server.detach(socket);
});

test("a process that ends is told as such, and another one serves in its place", async () => {
  await using servers = new ImageServers();
  await assert.rejects(servers.serve(disk(join(directory, "missing")), "nbd"), reason(/cannot serve/));
  const server = new ServerProcess();
  process.kill(server.pid, "SIGKILL");
  await assert.rejects(server.detach("/none"), reason(/cannot give its image back: it ended \(SIGKILL\)/));
  assert.equal(server.isRunning, false);
  await server[Symbol.asyncDispose]();
});

test("a process whose starter goes while it connects ends, and waits for no monitor", async () => {
  await using silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const conf = join(directory, "silent.conf");
  const lines = [
    `mon_host = v2:127.0.0.1:${port}`,
    "auth_client_required = none",
    "client_mount_timeout = 3600",
  ];
  writeFileSync(conf, ["[global]", ...lines, ""].join("\n"));
  const server = new ServerProcess();
  const attaching = server.attach({
    disk: disk(conf),
    transport: "nbd",
    shared: false,
    socket: join(directory, "s"),
  });
  attaching.catch(() => {});
  const [connection] = (await once(silent, "connection")) as [Socket];
  await server[Symbol.asyncDispose]();
  connection.destroy();
  await assert.rejects(attaching, reason(/it ended \(exit code 0\)/));
});
