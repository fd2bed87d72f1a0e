import { once } from "node:events";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import {
  type ImageSpec,
  type SpecFlags,
  usage,
  wholeImageSpec,
  withImageId,
  withSpecFlags,
} from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import { withImage } from "./run.ts";

type Flags = ConnectFlags & SpecFlags;

/** Commands that show the clients of an image, and its locks. */
export function clientCommands(): Command[] {
  const lock = new Command("lock").summary("locks on an image: ls, add, rm");
  lock.addCommand(lockList());
  lock.addCommand(lockAdd());
  lock.addCommand(lockRemove());
  return [status(), lock, watch()];
}

function status(): Command {
  const command = new Command("status")
    .summary("show the clients that have an image open")
    .argument("[image-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) =>
      withImage(flags, wholeImageSpec(text, flags), { readOnly: true, watch: false }, async (image) => {
        const watchers = (await image.watchers()).map(({ client, cookie, addr }) => ({
          address: `${addr.family === 6 ? `[${addr.address}]` : addr.address}:${addr.port}/${addr.nonce}`,
          ...{ client: Number(client.slice("client.".length)), cookie: Number(cookie) },
          exactCookie: cookie,
        }));
        print(
          flags,
          () =>
            watchers.length === 0
              ? "Watchers: none\n"
              : `Watchers:\n${watchers
                  .map(({ address, client, exactCookie }) => {
                    return `\twatcher=${address} client.${client} cookie=${exactCookie}\n`;
                  })
                  .join("")}`,
          () => ({ watchers: watchers.map(({ address, client, cookie }) => ({ address, client, cookie })) }),
          { root: "status", items: { watchers: "watcher" } },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(withImageId(command))));
}

function lockList(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("show locks held on an image")
    .argument("[image-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) =>
      withImage(flags, wholeImageSpec(text, flags), { readOnly: true, watch: false }, async (image) => {
        const { type, tag, lockers } = await image.locks.list();
        const locks = lockers.map(({ client, cookie, addr }) => ({
          ...{ id: cookie, locker: `client.${client}` },
          address: `${addr.family === 6 ? `[${addr.address}]` : addr.address}:${addr.port}/${addr.nonce}`,
        }));
        const many = locks.length > 1;
        const kind = type === "shared" ? "shared" : "exclusive";
        print(
          flags,
          () =>
            locks.length === 0
              ? ""
              : [
                  `There ${many ? "are" : "is"} ${locks.length} ${kind} lock${many ? "s" : ""} on this image.\n`,
                  type === "shared" ? `Lock tag: ${tag}\n` : "",
                  table(
                    [
                      ["Locker", "left"],
                      ["ID", "left"],
                      ["Address", "left"],
                    ],
                    locks.map(({ locker, id, address }) => [locker, id, address]),
                  ),
                ].join(""),
          () => locks,
          { root: "locks", items: { locks: "lock" } },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

function lockAdd(): Command {
  const command = new Command("add")
    .summary("lock an image by hand")
    .argument("[image-spec]")
    .argument("[lock-id]", "a name for the lock")
    .option("--shared <tag>", "share the lock with all clients that give the same tag")
    .action((text: string | undefined, id: string | undefined, flags: Flags & { shared?: string }) => {
      const { spec, words } = imageAndWords([text, id], flags);
      const cookie = needed(words[0], "lock id was not specified");
      return withImage(flags, spec, { readOnly: true, watch: false }, (image) =>
        image.locks.add(cookie, flags.shared),
      );
    });
  return withConnectFlags(withSpecFlags(command));
}

function lockRemove(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("remove a client's lock, and put the client on the blocklist")
    .argument("[image-spec]")
    .argument("[lock-id]", "as lock ls shows it")
    .argument("[locker]", "client.4123")
    .action((text: string | undefined, id: string | undefined, who: string | undefined, flags: Flags) => {
      const { spec, words } = imageAndWords([text, id, who], flags);
      const cookie = needed(words[0], "lock id was not specified");
      const locker = needed(words[1], "locker was not specified");
      // A user who may not change the image fails here, whatever locker it names, because a watch is a change.
      return withImage(flags, spec, { readOnly: true }, (image) => image.locks.break(locker, cookie));
    });
  return withConnectFlags(withSpecFlags(command));
}

/** Input that ends without a newline, such as /dev/null, does not count as Enter. */
async function enterOrInterruption(): Promise<void> {
  const { signal } = interruption;
  if (signal.aborted) return;
  const pressed = new AbortController();
  const entered = once(process.stdin, "data", { signal: pressed.signal }).catch(() => {});
  await Promise.race([entered, once(signal, "abort", { signal: pressed.signal }).catch(() => {})]);
  pressed.abort();
  process.stdin.destroy();
}

/** The image, which an option may name instead, and the arguments after it. */
function imageAndWords(
  all: readonly (string | undefined)[],
  flags: Flags,
): { spec: ImageSpec; words: readonly (string | undefined)[] } {
  const isNamed = flags.image !== undefined;
  return {
    spec: wholeImageSpec(isNamed ? undefined : all[0], flags),
    words: isNamed ? all : all.slice(1),
  };
}

function needed(word: string | undefined, message: string): string {
  if (word === undefined) throw usage(message);
  return word;
}

function watch(): Command {
  const command = new Command("watch")
    .summary("show notifications about an image, until interrupted")
    .argument("[image-spec]")
    .action((text: string | undefined, flags: Flags) => {
      const spec = wholeImageSpec(text, flags);
      return withImage(flags, spec, { readOnly: true, watch: false }, async (image) => {
        const where = `${spec.pool}/${spec.namespace && `${spec.namespace}/`}${spec.image}`;
        await using _watch = await image.onNotification(({ notifyId, notifierId, payload }, cookie) => {
          process.stdout.write(
            `${where} received notification: notify_id=${notifyId}, cookie=${cookie}, ` +
              `notifier_id=${notifierId}, bl.length=${payload.length}\n`,
          );
        });
        process.stderr.write("press enter to exit...\n");
        await enterOrInterruption();
      });
    });
  return withConnectFlags(withSpecFlags(command));
}
