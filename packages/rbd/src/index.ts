/**
 * RBD images for applications: pools of images, images, snapshots, groups, transfer, encryption.
 *
 * @module @siphon/rbd
 */

export type { ArrivalProcess } from "./bench/arrivals.ts";
export type { LoadTarget } from "./bench/image-load.ts";
export { ImageLoad, type LoadOptions, type LoadProgress, type LoadResult } from "./bench/image-load.ts";
export { WorkersLoad } from "./bench/workers-load.ts";
export { cachePolicies } from "./cache/cache-settings.ts";
export type { CacheOptions, CachePolicy } from "./cache/image-cache.ts";
export type {
  GroupedImage,
  GroupedSnapshot,
  GroupMember,
  GroupSnapshotState,
  GroupSpec,
  MemberState,
} from "./cls/group.ts";
export type { LockDetails, Locker, LockInfo, LockType } from "./cls/lock.ts";
export type { ParentSpec } from "./cls/parent.ts";
export type { EncodedNamespace, GroupSnapshotNamespace, SnapshotNamespace } from "./cls/snapshot.ts";
export type { TrashedImage, TrashSource } from "./cls/trash.ts";
export type { CopyOptions } from "./copy/copy-image.ts";
export type { DeepCopyOptions } from "./copy/deep-copy.ts";
export type { ChildImage } from "./directory/children.ts";
export type { CloneOptions } from "./directory/clone-image.ts";
export { completeOrDiscard } from "./directory/complete-or-discard.ts";
export { type CreateOptions, defaultFeatures } from "./directory/create-image.ts";
export type { ImageEntry } from "./directory/find-image.ts";
export { type ImageTotals, poolStatistics } from "./directory/pool-statistics.ts";
export { preparePool } from "./directory/prepare-pool.ts";
export type { Removal } from "./directory/removal.ts";
export { EncryptedImage, type EncryptedImageOptions } from "./encryption/encrypted-image.ts";
export { formatEncrypted } from "./encryption/encryption.ts";
export { EncryptionError, type EncryptionErrorCode } from "./encryption/encryption-error.ts";
export type { LayerKey } from "./encryption/encryption-layers.ts";
export type { Argon2, KeyDerivation, Pbkdf2 } from "./encryption/key-derivation.ts";
export type { FormatOptions } from "./encryption/luks.ts";
export type { KeyDigest, Keyslot, LuksVolume } from "./encryption/luks-volume.ts";
export {
  type EncryptionLayer,
  type LayerKeys,
  readLayerKeys,
  readPassphrase,
} from "./encryption/passphrase-file.ts";
export { encryptedTarget, encryptionRoom, plainReader } from "./encryption/plain-ends.ts";
export type { RbdErrorOptions } from "./errors.ts";
export { RbdError, type RbdErrorCode, type RbdRemedy } from "./errors.ts";
export type { Group, GroupImage } from "./groups/group.ts";
export type {
  CreateGroupSnapshotOptions,
  GroupSnapshot,
  GroupSnapshots,
  SnapshottedGroup,
} from "./groups/group-snapshots.ts";
export type { Groups } from "./groups/groups.ts";
export { type HeaderSnapshot, type ImageHeader, imageFlag, opFeature } from "./header/image-header.ts";
export { featureNames, featureOf } from "./image/features.ts";
export type { ImageBytes } from "./image/image-bytes.ts";
export type { Locks } from "./image/locks.ts";
export type { Metadata } from "./image/metadata.ts";
export type { ImageNotice } from "./image/notices.ts";
export { type OpenOptions, toRead } from "./image/open-options.ts";
export type { QuiesceWatcher } from "./image/quiesce-watchers.ts";
export type {
  CreateSnapshotOptions,
  ProgressOptions,
  RemoveSnapshotOptions,
  Snapshots,
} from "./image/snapshots.ts";
export type { WriteHold } from "./image/write-holds.ts";
export type { ObjectMapTask } from "./image.ts";
export { type DiffOptions, Image } from "./image.ts";
export { ImagePool } from "./image-pool.ts";
export { type ImageState, imageFeature, type ParentLink, type Snapshot } from "./image-state.ts";
export type { Images } from "./images.ts";
export type { IoLimits } from "./io/admission.ts";
export type { Latencies } from "./io/statistics.ts";
export { type ObjectLockOptions, ObjectLocks } from "./lock/object-locks.ts";
export type { FoundZeros } from "./maintenance/find-zeros.ts";
export type { Quiescing } from "./maintenance/quiesce.ts";
export { moduleCommand } from "./manager/module-command.ts";
export { type MirrorMode, mirrorMode } from "./mirror/mode.ts";
export type { Namespaces } from "./namespaces/namespaces.ts";
export type { ObjectMapError } from "./object-map/rebuild.ts";
export {
  type ImagePerformance,
  imagePerformance,
  type PerformanceMetric,
  type PerformanceQuery,
  performanceMetrics,
} from "./performance/image-performance.ts";
export type { OnProgress } from "./progress.ts";
export { isRbdOption } from "./settings/options.ts";
export { type EffectiveSetting, Overrides } from "./settings/overrides.ts";
export { imageSettings, type Settings } from "./settings/settings.ts";
export { type SettingRow, type SettingUse, settingUses } from "./settings/uses.ts";
export { Backup } from "./transfer/backup/backup.ts";
export type { BackedUpImage, BackupPoint } from "./transfer/backup/manifest.ts";
export { type ByteSink, fileSink, streamSink } from "./transfer/byte-sink.ts";
export { ByteSource } from "./transfer/byte-source.ts";
export type { DiffFormat, DiffHeader, DiffRecord } from "./transfer/diff-format.ts";
export { type DiffCursor, DiffReader } from "./transfer/diff-reader.ts";
export { type DiskUsage, type DiskUsageOptions, diskUsage } from "./transfer/disk-usage.ts";
export { type ExportCursor, type ExportDiffOptions, exportDiff } from "./transfer/export-diff.ts";
export type { ExportedImage } from "./transfer/export-format.ts";
export { FileSource } from "./transfer/file-source.ts";
export type {
  DiffExtent,
  DiffSource,
  DiffTarget,
  ImageReader,
  ImageWriter,
  TransferOptions,
} from "./transfer/image-ends.ts";
export { imageTarget } from "./transfer/image-target.ts";
export { applyDiff, type ImportDiffOptions, importDiff } from "./transfer/import-diff.ts";
export type { ParallelLimits } from "./transfer/in-order.ts";
export { mergeDiffs } from "./transfer/merge-diff.ts";
export { ProgressMeter, type TransferProgress } from "./transfer/progress.ts";
export type { RawOptions } from "./transfer/raw-image.ts";
export {
  exportRaw,
  exportRawFile,
  type ImportRawOptions,
  importRaw,
  importRawFile,
} from "./transfer/raw-image.ts";
export { copyResumably, exportResumably, importResumably } from "./transfer/resume/resumable.ts";
export { TransferError, type TransferErrorCode } from "./transfer/transfer-error.ts";
export { createOptions, exportedImage, exportWhole, importWhole } from "./transfer/whole-image.ts";
export type { PurgeChoice } from "./trash/purge.ts";
export { purgeTrash, trashToPurge } from "./trash/purge.ts";
export type { Trash, TrashEntry, TrashRemoveOptions } from "./trash/trash.ts";
export type { ImageWorkers, RunOptions, WorkersRun } from "./workers/image-workers.ts";
