import type { Command } from "commander";
import { defaultPool } from "./default-pool.ts";
import { invalidSpec, usage } from "./image-spec.ts";

/** A group or a group's snapshot, as Ceph's rbd takes it: `[pool/[namespace/]]group[@snapshot]`. */
export interface GroupSpec {
  pool: string;
  namespace: string;
  group: string;
}

export interface GroupSnapshotSpec extends GroupSpec {
  snapshot: string;
}

/** The same spec given by options. */
export interface GroupFlags {
  pool?: string;
  namespace?: string;
  group?: string;
  snap?: string;
}

export function withGroupFlags(command: Command): Command {
  return command
    .option("-p, --pool <pool>", "pool (default: rbd)")
    .option("--namespace <namespace>", "namespace in the pool")
    .option("--group <group>", "group, instead of the argument");
}

export function withSnapshotFlags(command: Command): Command {
  return withGroupFlags(command).option("--snap <snapshot>", "snapshot, instead of behind an @");
}

export function groupSpec(text: string | undefined, flags: GroupFlags): GroupSpec {
  const { snapshot, ...spec } = parsed(text, flags);
  if (snapshot !== undefined)
    throw usage("snapshot name specified for a command that doesn't use it", groupForm);
  return spec;
}

export function groupSnapshotSpec(text: string | undefined, flags: GroupFlags): GroupSnapshotSpec {
  const { snapshot = flags.snap, ...spec } = parsed(text, flags);
  if (snapshot === undefined) throw usage("group snapshot name was not specified", `${groupForm}@SNAPSHOT`);
  return { ...spec, snapshot };
}

/** The group's spec, for messages and tables. */
export function groupText({ pool, namespace, group }: GroupSpec): string {
  return `${pool}/${namespace && `${namespace}/`}${group}`;
}

const groupForm = "[POOL/[NAMESPACE/]]GROUP";

function parsed(text: string | undefined, flags: GroupFlags): GroupSpec & { snapshot: string | undefined } {
  const [, path = "", snapshot] = /^([^@]*)(?:@([^@/]*))?$/.exec(text ?? "") ?? [];
  const parts = path.split("/");
  if (text !== undefined && (parts.length > 3 || snapshot === "" || parts.includes(""))) {
    throw invalidSpec(text, `${groupForm}[@SNAPSHOT]`);
  }
  const group = text === undefined ? flags.group : parts.at(-1);
  if (group === undefined) throw usage("group name was not specified", groupForm);
  return {
    pool: (parts.length > 1 ? parts[0] : flags.pool) ?? defaultPool(),
    namespace: (parts.length > 2 ? parts[1] : flags.namespace) ?? "",
    ...{ group, snapshot },
  };
}
