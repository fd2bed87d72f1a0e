import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { LocalCluster } from "@siphon/lab";
import { writeShims } from "../../../../scripts/test-live/shims.ts";
import { Root } from "../../../lab/src/roots/root.ts";
import { begin, count, flag, text, usualSeed } from "../../program.ts";
import { runCampaign } from "./commands/campaign.ts";
import { describe } from "./commands/describe.ts";
import { allLines, someLines } from "./commands/lines.ts";
import { Progress } from "./commands/progress.ts";

/**
 * Gives command lines that a table generates to `siphon rbd` and to `rbd`, and compares their output, error messages
 * and exit codes. Ends with an error if anything differs that commands/differences.ts does not account for. With a root
 * (`siphon root build`) rbd and the cluster are the root's. Ctrl-C says which `--from` continues the run.
 */
const values = await begin(
  "soak:rbd-commands",
  "Gives generated command lines to siphon rbd and to rbd, and compares output, messages and exit codes.",
  {
    lines: count("number of lines", 1000),
    seed: usualSeed,
    from: count("begin with this line of the run", 1),
    only: text("regexp", "only lines that match, of all", ""),
    lanes: count("lines at the same time", 4),
    packaged: flag("run siphon as it ships, a process for each line"),
    root: text("root", "the release of this root (siphon root build), instead of the machine's"),
    conf: text("FILE", "configuration of an existing cluster"),
    json: text("FILE", "write what differs into this file"),
  },
);
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());
await using stack = new AsyncDisposableStack();
if (values.root !== undefined) await useRoot(values.root);
const conf = values.conf ?? (await ownCluster());
const only = new RegExp(values.only);
const { from, lanes, packaged, json } = values;
const lines = (values.only ? allLines() : someLines(values.lines, values.seed))
  .filter((line) => only.test(line))
  .slice(from - 1);
const progress = new Progress({ lines, from, run: values, ...(json !== undefined && { json }) });
process.on("exit", () => progress.end());
await runCampaign({
  ...{ conf, lines, lanes, packaged, signal: stop.signal },
  report: (line, finding) => {
    if (finding?.differences.length === 0) console.log(describe(finding));
    progress.add(line, finding);
  },
});
if (progress.open > 0) process.exitCode = 1;

async function ownCluster(): Promise<string> {
  const small = { osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  const cluster = await LocalCluster.up({ name: `soak-commands-${process.pid}`, ...small });
  stack.defer(() => cluster.down());
  return cluster.conf;
}

/** Programs are looked up in the root first. */
async function useRoot(name: string): Promise<void> {
  const shims = mkdtempSync(join(tmpdir(), "siphon-shims-"));
  stack.defer(() => rmSync(shims, { recursive: true }));
  writeShims(await Root.find(name, { uses: ["ceph"] }), shims);
  process.env.PATH = `${shims}${delimiter}${process.env.PATH}`;
}
