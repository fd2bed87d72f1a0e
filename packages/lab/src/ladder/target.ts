import type { CephClient } from "../ceph/client.ts";
import type { ClientConf } from "../ceph/conf.ts";
import type { WireMode } from "../cluster/wire-modes.ts";
import type { RbdDisk, VmSettings } from "../vm/settings.ts";

/** A name and a value, as the report shows them. */
export interface Fact {
  name: string;
  value: string;
}

/** The cluster and the image that the ladder is climbed on. */
export interface Target extends AsyncDisposable {
  /** The user and the configuration with which images are made and looked at. */
  readonly client: CephClient;
  /** The image that the VM of such settings opens; each rung adds a client configuration of its own. */
  diskFor(settings: Pick<VmSettings, "image">): Omit<RbdDisk, "conf">;
  /** Copies of each object; undefined where they cannot be seen. */
  readonly copies: number | undefined;
  /** Why clients cannot reach the cluster in secure mode; undefined when they can. */
  readonly noSecure: string | undefined;
  /** Aborted, with an error that says why, when the cluster can no longer carry a measurement. */
  readonly failed: AbortSignal;
  /** The settings of the cluster that matter to a reader of the figures. */
  readonly facts: Fact[];
  /** Processes whose CPU counts as the OSDs'; none when they cannot be seen from here. */
  osdPids(): number[];
  /**
   * Does `work` and says in which modes the connections came up that clients made to the OSDs meanwhile;
   * undefined where the OSDs cannot be asked.
   */
  observeWireModes<T>(work: () => Promise<T>): Promise<{ result: T; modes: Set<WireMode> | undefined }>;
  /** A configuration file for a client with options of its own. */
  clientConf(name: string, options: Record<string, string>): Promise<ClientConf>;
}
