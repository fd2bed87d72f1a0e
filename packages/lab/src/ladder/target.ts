import type { CephClient } from "../ceph/client.ts";
import type { ClientConf } from "../ceph/conf.ts";
import type { WireMode } from "../cluster/wire-modes.ts";
import type { RbdDisk, VmSettings } from "../vm/settings.ts";

/** A name and a value, as the report shows them. */
export interface Fact {
  name: string;
  value: string;
}

/** The cluster and the image of a ladder. */
export interface Target extends AsyncDisposable {
  /** The user and configuration for the administration of images. */
  readonly client: CephClient;
  /** The image for a VM with these settings; each rung adds its own client configuration. */
  diskFor(settings: Pick<VmSettings, "image">): Omit<RbdDisk, "conf">;
  /** Copies of each object; undefined if unknown. */
  readonly copies: number | undefined;
  /** Why clients cannot reach the cluster in secure mode; undefined when they can. */
  readonly noSecure: string | undefined;
  /** Aborted, with an error that says why, when the cluster can no longer carry a measurement. */
  readonly failed: AbortSignal;
  /** The settings of the cluster for the report. */
  readonly facts: Fact[];
  /** Processes whose CPU counts as the OSDs'; empty if they are not visible from here. */
  osdPids(): number[];
  /**
   * Runs `work` and returns the modes of the connections that clients made to the OSDs meanwhile; undefined if the OSDs
   * cannot be asked.
   */
  observeWireModes<T>(work: () => Promise<T>): Promise<{ result: T; modes: Set<WireMode> | undefined }>;
  /** A configuration file for a client with options of its own. */
  clientConf(name: string, options: Record<string, string>): Promise<ClientConf>;
}
