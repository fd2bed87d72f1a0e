import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { adminSockets, askClient } from "../../src/evidence/admin-socket.ts";
import { agentSocket, guestSchedulers } from "../../src/evidence/guest-agent.ts";
import { describeClients } from "../../src/evidence/librbd-clients.ts";
import { readArguments } from "../../src/inputs/qemu/arguments.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-doctor-sockets-"));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true });
});

async function listen(name: string, serve: (socket: Socket) => void): Promise<string> {
  const path = join(directory, name);
  const server = createServer(serve);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

test("the admin sockets of a process are those on which it listens", async () => {
  const path = await listen("client.vms.1.asok", () => {});
  await listen("other.sock", () => {});
  assert.deepEqual(await adminSockets(process.pid), [join(`/proc/${process.pid}/root`, path)]);
});

test("an answer may arrive in pieces; invalid JSON and no answer give different errors", async () => {
  const answer = Buffer.from('{"librbd-1-vms-a":{}}');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(answer.length);
  const whole = await listen("a.asok", (socket) => {
    socket.write(length.subarray(0, 2));
    setTimeout(() => socket.end(Buffer.concat([length.subarray(2), answer])), 10);
  });
  assert.deepEqual(await askClient(whole, { prefix: "perf dump" }), { "librbd-1-vms-a": {} });
  const refuses = await listen("b.asok", (socket) => socket.end(Buffer.from("\0\0\0\x02no")));
  await assert.rejects(askClient(refuses, { prefix: "nonsense" }), /no such command/);
  const silent = await listen("c.asok", () => {});
  await assert.rejects(askClient(silent, { prefix: "perf dump" }, 50), /does not answer/);
});

test("an endless answer is given up before it fills the memory", async () => {
  const piece = Buffer.alloc(1 << 20);
  let sent = 0;
  const endless = await listen("endless.asok", (socket) => {
    socket.on("error", () => {});
    const send = () => {
      while (!socket.destroyed && socket.write(piece)) sent += piece.length;
      sent += piece.length;
    };
    socket.on("drain", send);
    send();
  });
  await assert.rejects(askClient(endless, { prefix: "perf dump" }, 60_000), /the answer is too long/);
  assert.ok(sent < 64 << 20, `${sent} bytes`);
});

test("clients' counters between two samples, and a throttle that delayed them, are described", () => {
  const dump = (reads: number, sum: number, waits: number) => ({
    "librbd-1-vms-web": { rd_latency: { avgcount: reads, sum }, wr_latency: { avgcount: 5, sum: 1 } },
    "throttle-objecter_bytes": { wait: { avgcount: waits, sum: 0 } },
  });
  assert.deepEqual(
    describeClients(new Map([["vms-web", dump(100, 1, 0)]]), new Map([["vms-web", dump(300, 1.4, 3)]]), 2),
    [
      "librbd of vms-web: 100 reads a second of 2.00 ms while it was watched.",
      "librbd of vms-web: requests waited for objecter_inflight_op_bytes, a limit of the client.",
    ],
  );
});

const line = (channel: string) =>
  readArguments({
    name: "ps",
    text: `/usr/bin/kvm ${channel} -device virtserialport,chardev=qga0,name=org.qemu.guest_agent.0`,
  }).options;

test("the agent's socket belongs to its port; libvirt passes a descriptor, so there is none", () => {
  assert.equal(agentSocket(line("-chardev socket,path=/run/1.qga,server=on,id=qga0")), "/run/1.qga");
  assert.equal(agentSocket(line("-chardev socket,id=qga0,fd=30,server=on,wait=off")), undefined);
  assert.equal(agentSocket(line("-chardev socket,path=/run/1.qga,id=other")), undefined);
});

test("an agent that refuses to open files is reported; a silent one times out", async () => {
  const refuses = await listen("refuses.qga", (socket) => {
    socket.on("data", (data) => {
      for (const text of data.toString().trim().split("\n")) {
        const { execute, arguments: given } = JSON.parse(text);
        const answers: Record<string, unknown> = {
          "guest-sync": { return: given?.id },
          "guest-get-disks": { return: [{ name: "/dev/vda", partition: false }] },
          "guest-file-open": { error: { desc: "Command guest-file-open has been disabled" } },
        };
        socket.write(`${JSON.stringify(answers[execute])}\n`);
      }
    });
  });
  await assert.rejects(guestSchedulers(refuses), /refuses guest-file-open: .* has been disabled/);
  const silent = await listen("silent.qga", () => {});
  await assert.rejects(guestSchedulers(silent, 50), /no agent answers/);
});
