/**
 * A RADOS client for applications: clusters, pools, objects, watches, commands.
 *
 * @module @siphon/rados
 */

export { adminSocketCommand } from "./cluster/admin-socket.ts";
export {
  CephFloat,
  type Command,
  CommandError,
  type CommandOptions,
  type CommandTarget,
} from "./cluster/command.ts";
export { type AddressedCommand, parseCommandLine } from "./cluster/command-line.ts";
export type { ObjectLocation } from "./cluster/object-location.ts";
export type { ClusterStatistics, PoolStatistics } from "./cluster/pool-statistics.ts";
export type { PoolSpec, PoolUsage, Usage } from "./cluster/pools.ts";
export type { ClusterOptions } from "./cluster/settings.ts";
export type { ClusterStatus, HealthCheck } from "./cluster/status.ts";
export { Cluster } from "./cluster.ts";
export { CephConf, type CephConfOptions } from "./config/ceph-conf.ts";
export {
  type CephFlags,
  type KnownSettings,
  loadCephOptions,
  parseCephFlags,
  takeSettings,
} from "./config/flags.ts";
export type { MonHost } from "./config/mon-host.ts";
export { RadosError, type RadosErrorCode, type RadosRemedy, remoteError } from "./errors.ts";
export type { NotifiedWatcher, NotifyAnswers } from "./messages/notify-answers.ts";
export type { CoalescingOptions } from "./messenger/coalescing.ts";
export type { ConnectionEvent } from "./messenger/events.ts";
export { addrText } from "./messenger/peer.ts";
export type { MonEvent } from "./mon/events.ts";
export type { MonInfo, MonMap } from "./mon/monmap.ts";
export type { OsdMapListener } from "./mon/osdmap-feed.ts";
export type { CommandResult } from "./mon/requests.ts";
export { NO_SNAP, noSnapshots, SNAP_DIR, type SnapContext } from "./objecter/snap-context.ts";
export type { LoadOptions, LoadResult, LoadSecond, Spread } from "./objects/bench/load.ts";
export {
  type BenchOptions,
  type BenchRun,
  benchPrefix,
  benchRead,
  benchWrite,
  defaultRunName,
  findBenchRun,
  removeBenchObjects,
  removeBenchRun,
} from "./objects/bench/object-bench.ts";
export { dumpPool } from "./objects/dump/dump-pool.ts";
export { type RestoredAction, type RestoreOptions, restorePool } from "./objects/dump/restore-pool.ts";
export type { ListedObject, ListOptions, ObjectListing } from "./objects/object-listing.ts";
export type { ObjectOptions, OperationOutcome, PoolOptions } from "./objects/object-options.ts";
export { appendToObject, readObject, type StreamOptions, writeObject } from "./objects/object-streams.ts";
export type {
  Advice,
  LastOptional,
  Lenient,
  ObjectOperation,
  OperationKind,
  OperationOf,
  With,
} from "./objects/operation.ts";
export { OperationError } from "./objects/operation-error.ts";
export type { CopySource } from "./objects/operations/copy.ts";
export type {
  AllocationHint,
  ChecksumRange,
  Checksums,
  ChecksumType,
  Extent,
  ExtentMap,
  Stat,
} from "./objects/operations/extents.ts";
export type { Comparison, OmapGuard, OmapKeysPage, OmapPage, OmapRange } from "./objects/operations/omap.ts";
export type { Clone, SnapSet } from "./objects/operations/snaps.ts";
export type { TmapChange } from "./objects/operations/tmap.ts";
export type { Watcher } from "./objects/operations/watchers.ts";
export type { ReadInto } from "./objects/pool.ts";
export { Pool } from "./objects/pool.ts";
export type { PoolIdentity } from "./objects/pool-identity.ts";
export type { PoolSnapshot, PoolSnapshots } from "./objects/pool-snapshots.ts";
export { ReadOperation, type ReadRange, type ReadWith } from "./objects/read-operation.ts";
export type { NotifyOptions } from "./objects/watch/notify.ts";
export type { Notification, Watch, WatchEvents, WatchOptions } from "./objects/watch/watch.ts";
export type { WatchHandler } from "./objects/watch/watch-handler.ts";
export { WriteOperation, type WriteWith } from "./objects/write-operation.ts";
export type { ObjectLocator } from "./osdmap/object-hash.ts";
export { OsdMap } from "./osdmap/osdmap.ts";
export { formatPgId, type PgId } from "./osdmap/pg.ts";
export type { PgPlacement } from "./osdmap/placement.ts";
export { type Pool as PoolState, PoolFlag, type PoolSnap, type PoolType } from "./osdmap/pool.ts";
export type { WaitOptions } from "./wait.ts";
