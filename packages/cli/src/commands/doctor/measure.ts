import { DoctorError, type ExamineOptions, type Vm } from "@siphon/doctor";
import { diskToMeasure, measureVm, parseLadderOptions } from "@siphon/lab";
import { clusterOptions } from "../../cluster-options.ts";
import { interruption } from "../../interruption.ts";
import { withLive } from "../../live.ts";
import { loadFromFlags } from "../../load-flags.ts";
import { given } from "../../options.ts";
import { terminalSteps } from "../../progress.ts";
import type { MeasureFlags } from "./measure-flags.ts";

export interface Measured {
  /** The worth of each change, by the id of the finding that it fixes. */
  measured: NonNullable<ExamineOptions["measured"]>;
  /** The error that ended the run early, if any. */
  failure?: unknown;
}

/** Measures one VM. After a failure or an interruption the result still holds what was measured before. */
export async function measure(vms: readonly Vm[], flags: MeasureFlags): Promise<Measured> {
  const [vm] = vms;
  if (vm === undefined || vms.length > 1)
    throw new DoctorError("SIPHON_USAGE", `--measure takes one VM, and here are ${vms.length}`, {
      hint: "name one: a pid, a domain, an id, or its files",
    });
  const disk = diskToMeasure(vm, flags.disk);
  const existing = await existingCluster(flags);
  const { loadSeconds: seconds, ...load } = flags;
  const options = parseLadderOptions({
    ...given(loadFromFlags({ ...load, ...(seconds !== undefined && { seconds }) })),
    bigger: false,
    ...(existing !== undefined && { existing }),
  });
  const step = terminalSteps();
  const hooks = { out: flags.out, step, signal: interruption.signal };
  const { worth, notes, outcome } = await withLive(
    flags.live,
    "siphon doctor vm --measure",
    (live) => measureVm(vm, disk, options, { ...hooks, live }),
    (result) => result.outcome,
  );
  vm.notes.push(...notes);
  if (outcome !== undefined) vm.notes.push(`Report of the run: ${outcome.directory}/report.html`);
  return { measured: worth, ...(outcome?.failure !== undefined && { failure: outcome.failure }) };
}

/** The cluster that the flags name; undefined means one that is started on this machine. */
async function existingCluster(
  flags: MeasureFlags,
): Promise<{ conf?: string; user: string; pool: string; namespace?: string } | undefined> {
  const { pool, namespace, monHost, keyring, keyfile } = flags;
  const named = [flags.conf, flags.cluster, flags.name, flags.id, monHost, keyring, keyfile].some(
    (flag) => flag !== undefined,
  );
  if (pool === undefined) {
    if (!named && namespace === undefined) return undefined;
    throw new DoctorError("SIPHON_USAGE", "--measure makes a test image, and no pool is named for it", {
      hint: "name one with --pool; without any flag of a cluster it measures on a small cluster of this machine",
    });
  }
  if ([monHost, keyring, keyfile].some((flag) => flag !== undefined))
    throw new DoctorError(
      "SIPHON_USAGE",
      "--measure starts QEMU, which reads a ceph.conf: name it with --conf",
    );
  const { conf, name, cluster } = await clusterOptions(flags);
  const path = conf ?? process.env.CEPH_CONF ?? (cluster && `/etc/ceph/${cluster}.conf`);
  const user = (name ?? "client.admin").replace(/^client\./, "");
  return {
    ...(path !== undefined && { conf: path }),
    user,
    pool,
    ...(namespace !== undefined && { namespace }),
  };
}
