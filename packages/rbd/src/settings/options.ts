/** `bits`: names separated by commas, or the sum of their bits, as rbd shows it. */
export type OptionType = "bool" | "int" | "uint" | "size" | "float" | "str" | "bits";

/** A setting of RBD's, as Ceph 20.2 knows it (src/common/options/rbd.yaml.in). */
export interface RbdOption {
  readonly name: string;
  /** The levels that may override it; every option can be set globally for clients. */
  readonly scope: "image" | "pool" | "global";
  readonly type: OptionType;
  /** As rbd shows it. */
  readonly otherwise: string;
  /** The allowed values of some options; for bits, their names, lowest first. */
  readonly values: readonly string[];
  /** The range of some options. */
  readonly range: Range | undefined;
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly powersOfTwo: boolean;
}

/**
 * Sorted by name; rbd_cache_writethrough_until_flush has the value that the rbd command sets. A line: the name without
 * `rbd_`, scope, type, default (`-`: empty), and the allowed values: names, or `LEAST..MOST`, which may be powers of
 * two.
 */
const table = `
atime_update_interval image uint 60
auto_exclusive_lock_until_manual_request global bool true
balance_parent_reads image bool false
balance_snap_reads image bool false
blkin_trace_all image bool false
blocklist_expire_seconds image uint 0
blocklist_on_break_lock image bool true
cache image bool true
cache_block_writes_upfront image bool false
cache_max_dirty image size 25165824
cache_max_dirty_age image float 1.000000
cache_max_dirty_object image uint 0
cache_policy image str writearound writethrough|writeback|writearound
cache_size image size 33554432
cache_target_dirty image size 16777216
cache_writethrough_until_flush image bool false
clone_copy_on_read image bool false
compression_hint image str none none|compressible|incompressible
concurrent_management_ops image uint 10 1..
config_pool_override_update_timestamp global uint 0
default_clone_format pool str auto 1|2|auto
default_data_pool pool str -
default_features pool bits 61 layering|striping|exclusive-lock|object-map|fast-diff|deep-flatten|journaling|data-pool
default_format global uint 2
default_map_options image str -
default_order pool uint 22
default_pool global str rbd
default_snapshot_quiesce_mode image str required required|ignore-error|skip
default_stripe_count pool uint 0
default_stripe_unit pool size 0
disable_zero_copy_writes image bool true
discard_granularity_bytes image uint 65536 2^12..2^25
discard_on_zeroed_write_same global bool true
enable_alloc_hint image bool true
invalidate_object_map_on_timeout image bool true
io_scheduler image str simple none|simple
io_scheduler_simple_max_delay image uint 0
journal_commit_age image float 5.000000
journal_max_concurrent_object_sets image uint 0
journal_max_payload_bytes image size 16384
journal_object_flush_age image float 0.000000
journal_object_flush_bytes image size 1048576
journal_object_flush_interval image uint 0
journal_object_max_in_flight_appends image uint 0
journal_object_writethrough_until_flush image bool true
journal_order pool uint 24 12..26
journal_pool pool str -
journal_splay_width pool uint 4
localize_parent_reads image bool false
localize_snap_reads image bool false
mirror_concurrent_image_deletions pool uint 1
mirror_concurrent_image_syncs pool uint 5
mirror_delete_retry_interval pool float 30.000000
mirror_image_perf_stats_prio pool int 5
mirror_image_policy_migration_throttle pool uint 300
mirror_image_policy_rebalance_timeout pool float 0.000000
mirror_image_policy_type pool str simple none|simple
mirror_image_policy_update_throttle_interval pool float 1.000000
mirror_image_state_check_interval pool uint 30
mirror_journal_commit_age pool float 5.000000
mirror_journal_poll_age pool float 5.000000
mirror_leader_heartbeat_interval pool uint 5
mirror_leader_max_acquire_attempts_before_break pool uint 3
mirror_leader_max_missed_heartbeats pool uint 2
mirror_memory_autotune pool bool true
mirror_memory_base pool size 805306368
mirror_memory_cache_autotune_interval pool float 30.000000
mirror_memory_cache_min pool size 134217728
mirror_memory_cache_resize_interval pool float 5.000000
mirror_memory_expected_fragmentation pool float 0.150000
mirror_memory_target pool size 4294967296
mirror_perf_stats_prio pool int 5
mirror_pool_replayers_refresh_interval global uint 30
mirror_sync_point_update_age pool float 30.000000
mirroring_delete_delay image uint 0
mirroring_max_mirroring_snapshots image uint 5 3..
mirroring_replay_delay image uint 0
mirroring_resync_after_disconnect image bool false
move_parent_to_trash_on_remove image bool false
move_to_trash_on_remove image bool false
move_to_trash_on_remove_expire_seconds image uint 0
mtime_update_interval image uint 60
non_blocking_aio image bool true
op_thread_timeout global uint 60
op_threads global uint 1
parent_cache_enabled image bool false
persistent_cache_mode image str disabled disabled|rwl|ssd
persistent_cache_path image str /tmp
persistent_cache_size image uint 1073741824 1073741824..
plugins image str -
qos_bps_burst image uint 0
qos_bps_burst_seconds image uint 1 1..
qos_bps_limit image uint 0
qos_exclude_ops image bits 0 read|write|discard|write_same|compare_and_write
qos_iops_burst image uint 0
qos_iops_burst_seconds image uint 1 1..
qos_iops_limit image uint 0
qos_read_bps_burst image uint 0
qos_read_bps_burst_seconds image uint 1 1..
qos_read_bps_limit image uint 0
qos_read_iops_burst image uint 0
qos_read_iops_burst_seconds image uint 1 1..
qos_read_iops_limit image uint 0
qos_schedule_tick_min image uint 50 1..
qos_write_bps_burst image uint 0
qos_write_bps_burst_seconds image uint 1 1..
qos_write_bps_limit image uint 0
qos_write_iops_burst image uint 0
qos_write_iops_burst_seconds image uint 1 1..
qos_write_iops_limit image uint 0
quiesce_notification_attempts image uint 10 1..
read_from_replica_policy image str default default|balance|localize
readahead_disable_after_bytes image size 52428800
readahead_max_bytes image size 524288
readahead_trigger_requests image uint 10
request_timed_out_seconds image uint 30
skip_partial_discard image bool true
sparse_read_threshold_bytes image size 65536
tracing global bool false
validate_names global bool true
validate_pool global bool true
`;

export const rbdOptions: ReadonlyMap<string, RbdOption> = new Map(
  table
    .trim()
    .split("\n")
    .map((line): [string, RbdOption] => {
      const [short, scope, type, otherwise, values] = line.split(" ") as [
        string,
        RbdOption["scope"],
        OptionType,
        string,
        string | undefined,
      ];
      const name = `rbd_${short}`;
      const shown = otherwise === "-" ? "" : otherwise;
      const range = rangeOf(values);
      const names = range === undefined ? (values?.split("|") ?? []) : [];
      return [name, { name, scope, type, otherwise: shown, values: names, range }];
    }),
);

export const isRbdOption = (name: string): boolean => rbdOptions.has(name);

function rangeOf(text = ""): Range | undefined {
  const [, first, least, second, most] = /^(2\^)?(\d+)\.\.(2\^)?(\d*)$/.exec(text) ?? [];
  if (least === undefined) return undefined;
  const bound = (power: string | undefined, digits: string) => (power ? 2 ** Number(digits) : Number(digits));
  return {
    least: bound(first, least),
    most: most ? bound(second, most) : Number.POSITIVE_INFINITY,
    powersOfTwo: first !== undefined,
  };
}

/**
 * A value as rbd shows it: `true`, bytes, `1.000000`.
 *
 * @returns undefined for an invalid value
 */
export function optionValue(option: RbdOption, text: string): string | undefined {
  const { type, values } = option;
  switch (type) {
    case "bool": {
      // As in Ceph, all numbers but zero are true (strict_strtob in src/common/strtol.cc).
      if (/^[-+]?\d+$/.test(text)) return Number(text) === 0 ? "false" : "true";
      if (/^(true|yes|on)$/i.test(text)) return "true";
      return /^(false|no|off)$/i.test(text) ? "false" : undefined;
    }
    case "int":
    case "uint":
      return wholeNumber(option, text, 1000);
    case "size":
      return wholeNumber(option, text.replace(/^(\d+)([KMGTPE])?i?B?$/i, "$1$2"), 1024);
    case "float":
      return text !== "" && Number.isFinite(Number(text)) ? Number(text).toFixed(6) : undefined;
    case "bits":
      return /^\d+$/.test(text) ? BigInt(text).toString() : sumOf(values, text);
    case "str":
      return values.length === 0 || values.includes(text) ? text : undefined;
  }
}

/** With a unit as in src/common/strtol.cc: powers of 1,000 for numbers, of 1,024 for sizes. */
function wholeNumber({ type, range }: RbdOption, text: string, base: number): string | undefined {
  const [, digits, unit = ""] = /^([-+]?\d+)([KMGTPE]?)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const value = BigInt(digits) * BigInt(base) ** BigInt(" KMGTPE".indexOf(unit.toUpperCase() || " "));
  if (type !== "int" && (value < 0n || value >= 2n ** 64n)) return undefined;
  if (range === undefined) return value.toString();
  const isPower = (value & (value - 1n)) === 0n;
  return value >= range.least && value <= range.most && (isPower || !range.powersOfTwo)
    ? value.toString()
    : undefined;
}

function sumOf(names: readonly string[], text: string): string | undefined {
  const bits = text === "" ? [] : text.split(",").map((name) => names.indexOf(name.trim()));
  return bits.includes(-1) ? undefined : String(bits.reduce((sum, bit) => sum | (1 << bit), 0));
}
