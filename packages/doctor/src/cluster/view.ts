/** A cluster's answer about an image. The caller asks the cluster: the doctor itself has no client. */
export interface ImageView {
  features: readonly string[];
  /** pool/image@snapshot; undefined for an image without a parent. */
  parent?: string;
  /** Number of the image's ancestors. */
  cloneDepth?: number;
  /** The image's data pool, where it has one. */
  dataPool?: string;
  /** The object map is marked invalid. */
  objectMapInvalid?: boolean;
  /** Bytes. */
  objectSize: number;
  snapshots: number;
  /** Clients that hold the image's lock, as `client.4711`. */
  lockers: readonly string[];
  /** Clients that watch the image's header, that is, have it open. */
  watchers: readonly string[];
  /** rbd_* settings of the image or its pool, which override the client's. */
  overrides: readonly { name: string; value: string; source: "image" | "pool" }[];
}

export interface PoolView {
  name: string;
  size: number;
  pgs: number;
  autoscale: "on" | "off" | "warn";
  /** Set for an erasure-coded pool: whether the optimizations for small reads and writes (Ceph 20 and newer) are on. */
  erasure?: { optimized: boolean };
  /** The CRUSH roots from which the pool's rule takes OSDs. */
  roots?: readonly string[];
}

export interface HealthView {
  /** Health checks such as OSD_NEARFULL or PG_AVAILABILITY. */
  checks: readonly { code: string; summary: string }[];
}

/** The questions that the doctor has for a cluster. */
export interface ClusterView {
  /** Returns `why` if the image does not exist or may not be read. */
  image(pool: string, namespace: string | undefined, image: string): Promise<ImageView | { why: string }>;
  pool(name: string): Promise<PoolView | { why: string }>;
  health(): Promise<HealthView | { why: string }>;
  /** The CRUSH root above this host; undefined if the map does not name the host. */
  hostRoot?(): Promise<string | undefined>;
}
