import { addrText } from "@siphon/rados";
import { ObjectLocks } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import type { RadosCall, RadosVerb } from "./call.ts";
import { json, timestamp } from "./format.ts";

/** Advisory locks. */
export const lockVerbs: RadosVerb[] = [
  {
    ...{ name: "lock", arguments: "list|info|get|break <object> [name] [client.<id>]" },
    ...{ summary: "advisory locks of an object", takes: [2, 4], run: lock },
  },
];

async function lock(call: RadosCall): Promise<void> {
  const [action = "", object = "", name = "", locker = ""] = call.args;
  const { run, takes } = actions[action] ?? { run: undefined, takes: 0 };
  if (run === undefined || call.args.length < takes) {
    throw new SiphonError("SIPHON_USAGE", `usage: siphon rados lock ${lockVerbs[0]!.arguments}`);
  }
  await run({ call, locks: new ObjectLocks(await call.pool(), object), object, name, locker });
}

interface LockCall {
  call: RadosCall;
  locks: ObjectLocks;
  object: string;
  name: string;
  locker: string;
}

/** With the number of arguments that each needs, itself included. */
const actions: Record<string, { takes: number; run(call: LockCall): Promise<void> }> = {
  list: { takes: 2, run: list },
  info: { takes: 3, run: info },
  get: { takes: 3, run: get },
  break: { takes: 4, run: breakLock },
};

async function list({ call, locks, object }: LockCall): Promise<void> {
  const names = await locks.list();
  printJson(call, { objname: object, locks: names.map((name) => ({ name })) });
}

async function info({ call, locks, name }: LockCall): Promise<void> {
  const { type, tag, lockers } = await locks.info(name);
  const shown = lockers.map(({ client, cookie, description, expires, addr }) => ({
    ...{ name: `client.${client}`, cookie, description },
    expiration: timestamp(new Date(Math.floor(expires / 1e3)), expires % 1e6),
    addr: addrText(addr).replace(/^\w+:/, ""),
  }));
  printJson(call, { name, type: type === "ephemeral" ? "exclusive-ephemeral" : type, tag, lockers: shown });
}

async function get({ call, locks, name }: LockCall): Promise<void> {
  const { lockType: type, lockCookie: cookie, lockTag: tag } = call.flags;
  const { lockDescription: description, lockDuration: seconds } = call.flags;
  await locks.lock(name, {
    ...{ ...(type && { type }), ...(cookie && { cookie }), ...(tag && { tag }) },
    ...{ ...(description && { description }), ...(seconds && { seconds }) },
  });
}

async function breakLock({ call, locks, name, locker }: LockCall): Promise<void> {
  const [, id] = /^client\.(\d+)$/.exec(locker) ?? [];
  if (id === undefined) throw new SiphonError("EINVAL", `${locker} is no locker: write it as client.NUMBER`);
  await locks.break(name, BigInt(id), call.flags.lockCookie);
}

/** In JSON also without --format, as rados does. */
function printJson(call: RadosCall, value: object): void {
  const { format } = call.flags;
  call.print(json(value, format === "plain" ? "json" : format));
}
