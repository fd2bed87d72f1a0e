/** A cluster's answer about an image. The caller asks the cluster and fills it; the doctor asks none itself. */
export interface ImageView {
  features: readonly string[];
  /** pool/image@snapshot; undefined for an image without a parent. */
  parent?: string;
  /** Number of the image's ancestors. */
  cloneDepth?: number;
  /** The pool of its data, where that is another than its own. */
  dataPool?: string;
  /** The object map is marked invalid. */
  objectMapInvalid?: boolean;
  /** Bytes. */
  objectSize: number;
  snapshots: number;
  /** Clients that hold the image's lock, as `client.4711`. */
  lockers: readonly string[];
  /** Clients that watch its header: those that have it open. */
  watchers: readonly string[];
  /** rbd_* settings of the image or its pool that override what clients have. */
  overrides: readonly { name: string; value: string; source: "image" | "pool" }[];
}

export interface PoolView {
  name: string;
  size: number;
  pgs: number;
  autoscale: "on" | "off" | "warn";
  /** For an erasure-coded pool: whether it has the optimizations for small reads and writes (Ceph 20 and newer). */
  erasure?: { optimized: boolean };
  /** The roots of the CRUSH map that its rule takes OSDs from. */
  roots?: readonly string[];
}

export interface HealthView {
  /** Checks such as OSD_NEARFULL or PG_AVAILABILITY, with what they say. */
  checks: readonly { code: string; summary: string }[];
}

/** The seam to a cluster. */
export interface ClusterView {
  /** Undefined if there is no such image, or it may not be read; `why` is then said. */
  image(pool: string, namespace: string | undefined, image: string): Promise<ImageView | { why: string }>;
  pool(name: string): Promise<PoolView | { why: string }>;
  health(): Promise<HealthView | { why: string }>;
  /** The root of the CRUSH map that this host is under; undefined if the map does not name the host. */
  hostRoot?(): Promise<string | undefined>;
}
