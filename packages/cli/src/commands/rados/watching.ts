import { once } from "node:events";
import { addrText } from "@siphon/rados";
import { Writer } from "@siphon/wire";
import type { RadosCall, RadosVerb } from "./call.ts";
import { hexdump } from "./hexdump.ts";

export const watchVerbs: RadosVerb[] = [
  {
    name: "watch",
    arguments: "<object>",
    summary: "show notifications until a line is entered",
    takes: [1, 1],
    run: watch,
  },
  {
    name: "notify",
    arguments: "<object> <text>",
    summary: "notify all watchers of an object",
    takes: [2, 2],
    run: notify,
  },
  {
    name: "listwatchers",
    arguments: "<object>",
    summary: "list the watchers of an object",
    takes: [1, 1],
    run: listwatchers,
  },
];

async function watch(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const lost = Promise.withResolvers<never>();
  const { signal } = call;
  await using watch = await pool.watchEvents(
    call.object,
    {
      notified: ({ notifyId, notifierId, payload, acknowledge }) => {
        call.print(
          `NOTIFY cookie ${watch.cookie} notify_id ${notifyId} from ${notifierId}\n${hexdump(payload)}`,
        );
        acknowledge(payload).catch(() => {});
      },
      lost: lost.reject,
    },
    { signal },
  );
  call.print("press enter to exit...\n");
  try {
    await Promise.race([
      once(process.stdin, "data", { signal }),
      once(process.stdin, "end", { signal }),
      lost.promise,
    ]);
  } finally {
    process.stdin.destroy();
  }
}

/** The text is sent as a Ceph string: preceded by its length. */
async function notify(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const payload = new Writer().string(call.args[1]!).finish();
  const { replies, missed } = await pool.notify(call.object, payload, { signal: call.signal });
  for (const { client, cookie, payload: reply } of replies) {
    call.print(`reply client.${client} cookie ${cookie} : ${reply.length} bytes\n`);
    call.print(hexdump(reply));
  }
  for (const { client, cookie } of missed) call.print(`timeout client.${client} cookie ${cookie}\n`);
}

async function listwatchers(call: RadosCall): Promise<void> {
  const watchers = await (await call.pool()).listWatchers(call.object, { signal: call.signal });
  for (const { addr, client, cookie } of watchers) {
    call.print(`watcher=${addrText(addr).replace(/^\w+:/, "")} ${client} cookie=${cookie}\n`);
  }
}
