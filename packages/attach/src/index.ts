/**
 * RBD images served to VMs over NBD and vhost-user-blk.
 *
 * @module @siphon/attach
 */

export type { BlockDevice } from "./block-device.ts";
export type { DeviceJob, DeviceRequest } from "./device/device-request.ts";
export { detachDevice, unmapDevice } from "./device/end-device.ts";
export { cookieOf, type DriverParameters, deviceNumber } from "./device/kernel-device.ts";
export { type DeviceMapping, listMappings } from "./device/mappings.ts";
export { type StartedDevice, startDevice } from "./device/start-device.ts";
export { AttachError, type AttachErrorCode, type AttachRemedy } from "./errors.ts";
export type { Extent, ExtentSource } from "./extent-source.ts";
export type { ErrorPolicy } from "./health/pausing-device.ts";
export type { NbdExport } from "./nbd/export.ts";
export { NbdServer, type NbdServerOptions } from "./nbd/server.ts";
export { readTlsCredentials, type TlsCredentials } from "./nbd/tls.ts";
export type { Account } from "./server/accounts.ts";
export { type AttachOptions, type AttachRequest, attachImages } from "./server/attach-images.ts";
export type {
  Attachment,
  DiskFigures,
  MeasuredDisk,
  Measurement,
  ServedPoint,
  ShardState,
} from "./server/attachment.ts";
export type { ByteBudget } from "./server/byte-budget.ts";
export { type AttachPoint, shellLine } from "./server/connect-hints.ts";
export type { DiskServer } from "./server/disk-server.ts";
export { endedInTime } from "./server/drain-timeout.ts";
export { type HowToConnect, howToConnect, thisVmHost, type VmHost } from "./server/how-to-connect.ts";
export { formatImageSpec, type ImageSpec, parseImageSpec } from "./server/image-spec.ts";
export type { DiskState, IoFigures, IoKind } from "./server/io-metrics.ts";
export { IoMetrics, ioKind } from "./server/io-metrics.ts";
export type { LatencyFigures, LatencyHistogram } from "./server/latency-histogram.ts";
export type { ConnectionLimit, Limits } from "./server/limits.ts";
export { type ListenAddress, parseListenAddress } from "./server/listen.ts";
export { type Log, type LogEvent, type LogFormat, logTo } from "./server/log.ts";
export { MetricsServer } from "./server/metrics-server.ts";
export { type QemuVersions, reconnectOption, versionsText } from "./server/qemu-version.ts";
export { type IoRates, RateWatch } from "./server/rates.ts";
export { type AccessWords, type SocketAccess, socketAccess } from "./server/socket-access.ts";
export type { SocketKeeper } from "./server/socket-keeper.ts";
export { endOnSurprise } from "./server/surprise.ts";
export { AttachService, type ServiceOptions } from "./service/attach-service.ts";
export { askService } from "./service/control-client.ts";
export type { ControlAnswer, ControlCommand, ControlRequest } from "./service/control-protocol.ts";
export { ControlServer } from "./service/control-server.ts";
export type { DiskStatus, IoStatus } from "./service/disk-status.ts";
export type { DiskDefaults } from "./service/disk-words.ts";
export { type DiskWords, usualName } from "./service/disk-words.ts";
export { KeptSockets } from "./service/kept-sockets.ts";
export { ServiceManager } from "./service/sd-notify.ts";
export type { DiskPhase } from "./service/service-disk.ts";
export { serviceWorkers, type Worker, type WorkerOptions } from "./service/worker.ts";
export { attachShards, type ShardOptions } from "./shards/attach-shards.ts";
export type { Failure } from "./shards/failure.ts";
export { forkProgram } from "./shards/fork-program.ts";
export type { ShardTask } from "./shards/messages.ts";
export {
  type DiskLimits,
  formatDiskLimits,
  type Limit,
  type LimitName,
  limitNames,
  parseDiskLimits,
} from "./throttle/disk-limits.ts";
export type { VhostEvent } from "./vhost/events.ts";
export { type VhostOptions, VhostServer } from "./vhost/server.ts";
