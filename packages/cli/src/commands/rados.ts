import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { type Cluster, RadosError } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import { connectCluster } from "../connect.ts";
import { interruption } from "../interruption.ts";
import { RadosCall, type RadosVerb } from "./rados/call.ts";
import { parseRadosArguments, type RadosFlags } from "./rados/flags.ts";
import { refused } from "./rados/refused.ts";
import { verbs } from "./rados/verbs.ts";

export function radosCommand(): Command {
  return new Command("rados")
    .summary("work with objects and pools as the rados program does")
    .description(
      "Work with objects and pools, with the arguments and the output of Ceph's rados program. Ceph need not be installed.",
    )
    .usage("[options] <verb> [arguments]")
    .argument("[words...]", "the verb and its arguments")
    .allowUnknownOption()
    .helpOption("-h, --help", "display help for command")
    .addHelpText("after", help)
    .action((_words, _flags, command: Command) => rados(command.args));
}

async function rados(args: readonly string[]): Promise<void> {
  const { flags, connect, words } = parseRadosArguments(args);
  const [name, ...rest] = words;
  if (flags.nameFile !== undefined) rest.unshift(readFileSync(flags.nameFile, "utf8"));
  if (flags.keyFile !== undefined) rest.splice(1, 0, readFileSync(flags.keyFile, "utf8"));
  const verb = verbs.find((each) => each.name === name);
  const reason = refused.get(name ?? "");
  if (reason !== undefined) {
    throw new SiphonError("EOPNOTSUPP", `siphon does not do rados ${name}`, { hint: reason });
  }
  if (verb === undefined) {
    const what = name === undefined ? "rados needs a verb" : `rados has no verb ${name}`;
    throw new SiphonError("SIPHON_USAGE", what, { hint: "see: siphon rados --help" });
  }
  const [least, most] = verb.takes;
  if (rest.length < least || rest.length > most) {
    throw new SiphonError("SIPHON_USAGE", `usage: siphon rados ${`${verb.name} ${verb.arguments}`.trim()}`);
  }
  if (flags.output !== undefined) assertOutput(verb, flags.format);
  await using cluster = await connectCluster(connect);
  if (flags.create) await createPool(cluster, flags.pool);
  await using output = flags.output === undefined ? undefined : await open(flags.output, "w");
  await verb.run(new RadosCall(cluster, rest, flags, output));
}

function assertOutput({ name, hasOutput }: RadosVerb, format: RadosFlags["format"]): void {
  if (hasOutput === "any" || (hasOutput === "json" && format !== "plain")) return;
  const needed = hasOutput === undefined ? "has no option" : "needs --format json for";
  throw new SiphonError("SIPHON_USAGE", `rados ${name} ${needed} --output`);
}

async function createPool(cluster: Cluster, name: string | undefined): Promise<void> {
  if (name === undefined) throw new SiphonError("SIPHON_USAGE", "name the pool with -p");
  // The monitors take the creation of a pool that exists for done.
  if ([...cluster.pools.values()].includes(name)) {
    throw new RadosError("EEXIST", `error creating pool ${name}: it exists already`);
  }
  await cluster.createPool({ name }, { signal: interruption.signal });
}

const width = Math.max(...verbs.map((verb) => `${verb.name} ${verb.arguments}`.length));

const help = `
Verbs:
${verbs.map((verb) => `  ${`${verb.name} ${verb.arguments}`.padEnd(width)}  ${verb.summary}`).join("\n")}

Options, before or after the verb:
  -p, --pool <name>        the pool
  -N, --namespace <name>   namespace of the objects; --all with ls for all of them
  --object-locator <key>   key that places the object instead of its name
  -s, --snap <name>        read from this snapshot of the pool; -S, --snapid <id> by its id
  -f, --format <format>    plain, json or json-pretty
  -b <size>                bytes of a request (default: 4M)
  --offset <bytes>         put: offset in the object
  --target-pool <name>     cp: pool of the copy; --target-nspace its namespace, --target-locator its key
  --create                 create the pool, which must not exist: for import
  -o, --output <file>      ls, bench with --format json: the file for the list, or for the result
  --dry-run, --no-overwrite  import: write nothing; leave objects that are there as they are
  --input-file <file>      setxattr, setomapval: the value
  --obj-name-file <file>   the name of the object; --omap-key-file <file> the key of the omap
  --force-full             rm: also when the pool is full
  -t, --concurrent-ios <n> bench: requests in flight (default: 16)
  -O <size>                bench: bytes of an object (default: as -b)
  --max-objects <n>        bench: end after this many objects
  --run-name <name>        bench, cleanup: the object that records the written objects
  --prefix <text>          cleanup: remove all objects whose names begin with this
  --no-cleanup             bench: keep the written objects, for seq and rand
  --lock-type <type>       lock get: exclusive (default) or shared; --lock-tag, --lock-cookie, --lock-description <text>
  --lock-duration <s>      lock get: seconds until the lock expires (default: never)
  --no-verify              bench: do not verify the data that is read
  -c, --conf <file>        ceph.conf (default: CEPH_CONF, /etc/ceph/ceph.conf, the cluster called default)
  --cluster <name>         a cluster of siphon cluster up, or /etc/ceph/<name>.conf
  -n, --name <type.id>     user (default: client.admin); --id <id> without the type
  -m, --mon-host <addrs>   monitors, instead of those in ceph.conf
  -k, --keyring <file>     keyring, instead of the one in ceph.conf

Examples: siphon rados -p images ls
          siphon rados -p images put greeting - <<<hello`;
