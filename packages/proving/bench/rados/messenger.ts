import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { ConnectionMode } from "../../../rados/src/messenger/auth.ts";
import type { Connection } from "../../../rados/src/messenger/connection.ts";
import { openEvp } from "../../../rados/src/messenger/evp.ts";
import type { GcmFill } from "../../../rados/src/messenger/gcm.ts";
import type { IncomingMessage } from "../../../rados/src/messenger/message.ts";
import { Messenger } from "../../../rados/src/messenger/messenger.ts";
import { OpenAuth } from "../../../rados/test/support/fake-daemon.ts";
import { begin, count, flag, goalsFile } from "../../program.ts";
import { estimate } from "./estimate.ts";
import { goal, printGoals, progress, writeResult } from "./goals.ts";
import { benchSecrets, dataBytes, frontBytes } from "./messenger-peer.ts";

/**
 * The cost of the messenger: CPU of this process (user and system) per frame with 16 KiB of data, in and out, against
 * the floor of reading or writing the same bytes with a plain socket in the same round. The other end is another
 * process. Cases take turns, so that other load on the machine affects all of them.
 */
const args = await begin("bench:messenger", "The cost of the messenger per frame, against a plain socket.", {
  quick: flag("three rounds of 2,048 frames"),
  json: goalsFile,
  rounds: count("rounds (default: 9, with --quick 3)"),
  frames: count("frames of each run (default: 8,192, with --quick 2,048)"),
});
const rounds = args.rounds ?? (args.quick ? 3 : 9);
const frames = args.frames ?? (args.quick ? 2048 : 8192);
const framesATick = 64;

interface Sample {
  /** CPU microseconds per frame. */
  cpu: number;
  framesPerSecond: number;
}

interface Ports {
  crc: number;
  secure: number;
  plain: number;
}

const peer = fork(new URL("messenger-peer.ts", import.meta.url));
const [ports] = (await once(peer, "message")) as [Ports];

type Case = { name: string; run: () => Promise<Sample> };
const fills: GcmFill[] = openEvp() === undefined ? ["node"] : ["evp", "node"];
const cases: Case[] = [
  { name: "in crc", run: () => receive("crc") },
  { name: "in floor", run: () => receivePlain() },
  ...fills.map((fill) => ({ name: `in secure ${fill}`, run: () => receive("secure", fill) })),
  { name: "out floor", run: () => sendPlain() },
  { name: "out crc", run: () => send("crc") },
  ...fills.map((fill) => ({ name: `out secure ${fill}`, run: () => send("secure", fill) })),
];
const lines = new Map<string, Line>();
const samples = new Map<string, Sample[]>(cases.map(({ name }) => [name, []]));
for (let round = -1; round < rounds; round++) {
  for (const { name, run } of cases) {
    progress(`${round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`}: ${name}`);
    const sample = await run();
    // The first round warms the compiler up.
    if (round >= 0) samples.get(name)!.push(sample);
  }
}
for (const { messenger } of lines.values()) messenger.close();
peer.kill();
progress("");
await report();

/** The peer makes the frames beforehand and sends them in one go. */
async function receive(mode: ConnectionMode, gcm?: GcmFill): Promise<Sample> {
  const line = await lineFor("in", mode, gcm);
  const prepared = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  let left = frames;
  line.onMessage = ({ type }) => {
    if (type === 1) prepared.resolve();
    else if (--left === 0) done.resolve();
  };
  line.connection.send({ type: 1, tid: frames, front: Buffer.alloc(1) });
  await prepared.promise;
  const measured = startMeasuring();
  line.connection.send({ type: 2, front: Buffer.alloc(1) });
  await done.promise;
  return measured();
}

/** The floor: the bytes of the last frames, read into a buffer and ignored. */
async function receivePlain(): Promise<Sample> {
  let left = frames * (32 + 41 + 4 + frontBytes + dataBytes + 13);
  const done = Promise.withResolvers<void>();
  const socket = connect({
    port: ports.plain,
    host: "127.0.0.1",
    noDelay: true,
    onread: {
      buffer: Buffer.alloc(512 * 1024),
      callback: (length) => {
        left -= length;
        if (left <= 0) done.resolve();
        return true;
      },
    },
  });
  await once(socket, "connect");
  const measured = startMeasuring();
  socket.write(Buffer.from([1]));
  await done.promise;
  const sample = measured();
  socket.destroy();
  return sample;
}

async function send(mode: ConnectionMode, gcm?: GcmFill): Promise<Sample> {
  const { connection } = await lineFor("out", mode, gcm);
  const drained = once(peer, "message");
  const front = Buffer.alloc(frontBytes, 3);
  const data = Buffer.alloc(dataBytes, 4);
  const measured = startMeasuring();
  for (let sent = 0; sent < frames; ) {
    for (let i = 0; i < framesATick && sent < frames; i++, sent++) {
      connection.begin(frontBytes, 0, dataBytes);
      connection.region.bytes.set(front, connection.frontAt);
      connection.region.bytes.set(data, connection.dataAt);
      connection.commit(42, 8, 3, 127, sent + 1);
    }
    do await nextTurn();
    while (connection.bytesQueued > 1 << 20);
  }
  await drained;
  return measured();
}

/** The floor: the same bytes in the same portions, written by a plain socket from an existing buffer. */
async function sendPlain(): Promise<Sample> {
  const frameBytes = 32 + 45 + frontBytes + dataBytes + 13;
  const socket = connect({ port: ports.plain, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const command = Buffer.alloc(5, 2);
  command.writeUInt32LE(frames * frameBytes, 1);
  const drained = once(peer, "message");
  socket.write(command);
  await once(socket, "data");
  const portion = Buffer.alloc(framesATick * frameBytes, 5);
  const measured = startMeasuring();
  for (let sent = 0; sent < frames; sent += framesATick) {
    socket.write(portion.subarray(0, Math.min(framesATick, frames - sent) * frameBytes));
    do await nextTurn();
    while (socket.writableLength > 1 << 20);
  }
  await drained;
  const sample = measured();
  socket.destroy();
  return sample;
}

interface Line {
  readonly messenger: Messenger;
  connection: Connection;
  onMessage(message: IncomingMessage): void;
}

/** One connection for each case and direction, for all rounds: connections are long-lived things. */
async function lineFor(
  direction: "in" | "out",
  mode: ConnectionMode,
  gcm: GcmFill | undefined,
): Promise<Line> {
  const name = `${direction} ${mode} ${gcm}`;
  const known = lines.get(name);
  if (known !== undefined) return known;
  const messenger = new Messenger({ modes: { mon: [mode], osd: [mode], mgr: [mode] }, ...(gcm && { gcm }) });
  const secrets = mode === "secure" ? benchSecrets : { sessionKey: undefined, connectionSecret: undefined };
  const ready = Promise.withResolvers<Connection>();
  const heard = Promise.withResolvers<void>();
  const addr = { type: "msgr2", nonce: 0, family: 4, address: "127.0.0.1", port: ports[mode] } as const;
  messenger.connect({ type: "osd", name: "osd.0", addr }, new OpenAuth(secrets), {
    ready: ready.resolve,
    closed: (_, error) => ready.reject(error),
    message: (_, message) => line.onMessage(message),
  });
  const line: Line = { messenger, connection: await ready.promise, onMessage: () => heard.resolve() };
  lines.set(name, line);
  if (direction === "out") {
    const frame = mode === "crc" ? 32 + 45 + frontBytes + dataBytes + 13 : 96 + 160 + dataBytes + 32;
    line.connection.send({ type: 3, tid: frames * frame, front: Buffer.alloc(1) });
    await heard.promise;
  }
  return line;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function startMeasuring(): () => Sample {
  const cpu = process.cpuUsage();
  const start = performance.now();
  return () => {
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / frames, framesPerSecond: frames / seconds };
  };
}

async function report(): Promise<void> {
  const rows = cases.map(({ name }) => {
    const taken = samples.get(name)!;
    const floor = samples.get(name.startsWith("in") ? "in floor" : "out floor")!;
    return {
      name,
      cpuMicroseconds: estimate(taken.map(({ cpu }) => cpu)),
      framesPerSecond: estimate(taken.map(({ framesPerSecond }) => framesPerSecond)),
      timesFloor: estimate(taken.map(({ cpu }, round) => cpu / floor[round]!.cpu)),
    };
  });
  for (const { name, cpuMicroseconds: cpu, framesPerSecond: rate, timesFloor: ratio } of rows) {
    console.log(
      `${name.padEnd(16)} ${cpu.median.toFixed(2).padStart(6)} us/frame [${cpu.low.toFixed(2)}, ${cpu.high.toFixed(2)}]` +
        `  ${Math.round(rate.median).toString().padStart(7)} frames/s  ${ratio.median.toFixed(2)}x floor [${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]`,
    );
  }
  const atMost = (name: string, limit: number) => {
    const { timesFloor } = rows.find((row) => row.name === name)!;
    return goal(`${name}: CPU, times that of a plain socket`, timesFloor, "<=", limit);
  };
  const secure = `secure ${fills[0]}`;
  const goals = [
    ...[atMost("in crc", 2.5), atMost(`in ${secure}`, 4)],
    ...[atMost("out crc", 2.5), atMost(`out ${secure}`, 4)],
  ];
  printGoals(goals);
  await writeResult(args.json, { benchmark: "messenger", frames, rounds, dataBytes, rows, goals });
}
