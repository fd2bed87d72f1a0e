import type { CephClient } from "../ceph/client.ts";
import type { ClientConf } from "../ceph/conf.ts";
import type { ConnectionLog } from "../cluster/wire-modes.ts";
import type { Fact } from "../ladder/target.ts";
import type { WireName } from "./wires.ts";

/** A cluster with a filled image, for one wire. */
export interface BaselineTarget {
  /** `1-osd-v2-crc` */
  readonly name: string;
  /** `1 OSD`, as a chart has it. */
  readonly title: string;
  /** Missing where the cluster is not siphon's. */
  readonly osds: number | undefined;
  readonly wire: WireName;
  /** Uses the configuration for the wire. */
  readonly client: CephClient;
  readonly image: string;
  /** That configuration without secrets. */
  readonly conf: ClientConf;
  readonly facts: Fact[];
  /** Aborted, with an error that says why, when the cluster can no longer carry a measurement. */
  readonly failed: AbortSignal;
  /** Processes whose CPU counts as the OSDs'; empty if they are not visible from here. */
  osdPids(): number[];
  /** The OSDs' log of connections; undefined if they cannot be asked, or the wire has no modes. */
  openLog(): Promise<ConnectionLog | undefined>;
}

/** A measurement's clusters, all up side by side; disposed of together. */
export interface BaselineTargets extends AsyncDisposable {
  all: BaselineTarget[];
}
