import {
  Deployment,
  type DeploymentStatus,
  destroy,
  type Inventory,
  LabError,
  parseWipe,
  type Removal,
  readInventory,
  type Wipe,
} from "@siphon/lab";
import { Command, Option } from "commander";
import { interruption } from "../interruption.ts";
import { terminalSteps } from "../progress.ts";

interface Flags {
  hosts: string;
  destroy?: boolean;
  recreate?: boolean;
  wipe?: Wipe[];
  json?: boolean;
}

export function deployCommand(): Command {
  return new Command("deploy")
    .summary("deploy a cluster on other hosts, over ssh")
    .description(
      "Deploy a cluster on the hosts of an inventory, over ssh: monitors, a manager and OSDs on devices or files, " +
        "in one directory on each host. Ceph's packages must be installed; nothing is written to /etc. A deployment " +
        "that fails or is interrupted is undone. The cluster stays until --destroy.",
    )
    .requiredOption("--hosts <file>", "the inventory, a YAML file (see docs/deploy.md)")
    .addOption(new Option("--destroy", "remove the cluster and all its files").conflicts("recreate"))
    .option("--recreate", "remove the cluster if it exists, and deploy it again")
    .option("--wipe <host:device>", "let an OSD overwrite this device (repeat for more)", wipes)
    .option("--json", "print the cluster's status, or what was removed, as JSON")
    .action(run);
}

async function run({ hosts, ...flags }: Flags): Promise<void> {
  const inventory = await readInventory(hosts);
  if (flags.destroy) return takeDown(inventory, flags.json);
  if (flags.recreate) await takeDownIfThere(inventory, flags.json);
  const { signal } = interruption;
  const { length } = inventory.hosts;
  const title = `Deploy ${inventory.name} on ${length} host${length === 1 ? "" : "s"}`;
  const status = await terminalSteps({ quiet: flags.json })(title, async (onStep) => {
    const deployment = await Deployment.up(inventory, { signal, onStep, wipes: flags.wipe });
    return deployment.status(signal);
  });
  process.stdout.write(flags.json ? json(status) : described(status, hosts));
}

async function takeDown(inventory: Inventory, asJson = false): Promise<void> {
  const removals = await removed(inventory, asJson);
  process.stdout.write(asJson ? json(removals) : removals.map(line).join(""));
}

async function takeDownIfThere(inventory: Inventory, asJson = false): Promise<void> {
  try {
    await removed(inventory, asJson);
  } catch (error) {
    if (!(error instanceof LabError) || error.code !== "SIPHON_NOT_FOUND") throw error;
  }
}

function removed(inventory: Inventory, quiet: boolean): Promise<Removal[]> {
  const { signal } = interruption;
  return terminalSteps({ quiet })(`Take ${inventory.name} down`, () => destroy(inventory, signal));
}

function line({ host, outcome, left }: Removal): string {
  const words = {
    removed: "removed",
    absent: "nothing was there",
    another: "another deployment was left alone",
  };
  const rest = left.map((path) => `, but not ${path}: it now holds something else`).join("");
  return `${host}: ${outcome === "unreachable" ? outcome : words[outcome]}${rest}\n`;
}

function described({ name, fsid, conf, pool, user, hosts, ceph }: DeploymentStatus, file: string): string {
  const health = ceph ? [ceph.health, ...ceph.problems].join("; ") : "no monitor answers";
  return [
    `cluster   ${name} (${fsid})`,
    `health    ${health}`,
    ...hosts.map(({ name, address, daemons }) => `${name.padEnd(9)} ${address}: ${daemons.join(", ")}`),
    "",
    `Use it with:  siphon ladder --conf ${conf} --user ${user} --pool ${pool}`,
    `              ceph --conf ${conf} status`,
    `End it with:  siphon cluster deploy --hosts ${file} --destroy`,
    "",
  ].join("\n");
}

function wipes(text: string, before: Wipe[] = []): Wipe[] {
  return [...before, parseWipe(text)];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
