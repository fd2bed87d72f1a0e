/**
 * Siphon's treatment of an RBD setting: obeyed; without effect, because siphon has nothing to change, or data and
 * answers stay the same; or refused.
 */
export type SettingUse = "obeyed" | "no effect" | "refused";

export interface SettingRow {
  readonly name: string;
  readonly use: SettingUse;
  /** The effect of the setting, or why it has none. */
  readonly what: string;
}

/** Sorted by name, without `rbd_`; a row without a text has the text of the previous row. */
const table = `
atime_update_interval | obeyed | seconds between two updates of the time of the last read; 0 for none
auto_exclusive_lock_until_manual_request | no effect | the first write requests the lock, and a client that asks for it gets it; \`exclusive\` of \`open\` keeps it
balance_parent_reads | obeyed | reads of parents go to any OSD that has the data
balance_snap_reads | obeyed | the same for reads of snapshots
blkin_trace_all | no effect | there are no blkin traces
blocklist_expire_seconds | obeyed | how long a client stays on the blocklist after its lock is broken; 0 for the OSDs' default
blocklist_on_break_lock | obeyed | \`false\`: a client whose lock is broken is not put on the blocklist; its writes may still arrive
cache | obeyed | whether there is a cache; siphon's default is \`false\`
cache_block_writes_upfront | no effect | a write that finds the cache full waits until it is durable
cache_max_dirty | obeyed | bytes acknowledged and not yet durable; 0 means \`writethrough\`
cache_max_dirty_age | no effect | the cache sends each write off at once
cache_max_dirty_object | no effect
cache_policy | obeyed | \`writethrough\`, \`writearound\` or \`writeback\`
cache_size | obeyed | bytes of read data that the cache keeps
cache_target_dirty | no effect | the cache sends each write off at once
cache_writethrough_until_flush | obeyed | writes are acknowledged when they are durable until the first flush
clone_copy_on_read | no effect | only writes copy a parent's object; reads return the same data
compression_hint | obeyed | sent with writes to objects that may be new
concurrent_management_ops | obeyed | objects that \`rm\`, \`resize\`, \`flatten\`, \`sparsify\`, \`snap rollback\`, \`object-map\` work on at the same time
config_pool_override_update_timestamp | obeyed | set by \`config pool set\`, so that other clients read the pool's settings again
default_clone_format | obeyed | format of new clones: \`1\`, \`2\` or \`auto\`
default_data_pool | obeyed | the data pool of new images
default_features | obeyed | features of new images, as names or as a number
default_format | refused | \`1\` (EINVAL), unless RBD_FORCE_ALLOW_V1 is in the environment, as in librbd: it is for tests
default_map_options | no effect | options of kernel RBD; \`device map\` uses the kernel's NBD driver
default_order | obeyed | object size of new images, as a power of two
default_pool | obeyed | the pool of a command that names none; a pool cannot set it
default_snapshot_quiesce_mode | no effect | commands and callers of the library choose the mode for each snapshot; \`rbd snap create\` ignores the setting too
default_stripe_count | obeyed | layout of new images
default_stripe_unit | obeyed
disable_zero_copy_writes | no effect | siphon copies the data of a write, or the caller must not change it until the write completes
discard_granularity_bytes | obeyed | a discard keeps the parts at its ends that do not fill units of this many bytes
discard_on_zeroed_write_same | no effect | written zeros are stored as data; \`writeZeroes\` and discards free space
enable_alloc_hint | obeyed | \`false\`: OSDs are not told how large an object will become
invalidate_object_map_on_timeout | no effect | writes wait while the map cannot be updated; the map is not marked invalid
io_scheduler | no effect | requests go to their OSDs at once
io_scheduler_simple_max_delay | no effect
journal_commit_age | no effect | images with a journal are read-only
journal_max_concurrent_object_sets | no effect
journal_max_payload_bytes | no effect
journal_object_flush_age | no effect
journal_object_flush_bytes | no effect
journal_object_flush_interval | no effect
journal_object_max_in_flight_appends | no effect
journal_object_writethrough_until_flush | no effect
journal_order | no effect
journal_pool | no effect
journal_splay_width | no effect
localize_parent_reads | obeyed | reads of parents go to the nearest OSD that has the data (\`crush_location\`)
localize_snap_reads | obeyed | the same for reads of snapshots
mirror_concurrent_image_deletions | no effect | for the daemon rbd-mirror
mirror_concurrent_image_syncs | no effect
mirror_delete_retry_interval | no effect
mirror_image_perf_stats_prio | no effect
mirror_image_policy_migration_throttle | no effect
mirror_image_policy_rebalance_timeout | no effect
mirror_image_policy_type | no effect
mirror_image_policy_update_throttle_interval | no effect
mirror_image_state_check_interval | no effect
mirror_journal_commit_age | no effect
mirror_journal_poll_age | no effect
mirror_leader_heartbeat_interval | no effect
mirror_leader_max_acquire_attempts_before_break | no effect
mirror_leader_max_missed_heartbeats | no effect
mirror_memory_autotune | no effect
mirror_memory_base | no effect
mirror_memory_cache_autotune_interval | no effect
mirror_memory_cache_min | no effect
mirror_memory_cache_resize_interval | no effect
mirror_memory_expected_fragmentation | no effect
mirror_memory_target | no effect
mirror_perf_stats_prio | no effect
mirror_pool_replayers_refresh_interval | no effect
mirror_sync_point_update_age | no effect
mirroring_delete_delay | no effect | siphon mirrors no images
mirroring_max_mirroring_snapshots | no effect
mirroring_replay_delay | no effect
mirroring_resync_after_disconnect | no effect
move_parent_to_trash_on_remove | obeyed | an image whose snapshots exist only for its clones goes to the trash, and is removed with the last of them
move_to_trash_on_remove | obeyed | \`rm\` moves images to the trash, with their snapshots
move_to_trash_on_remove_expire_seconds | obeyed | how long images stay in the trash
mtime_update_interval | obeyed | seconds between two updates of the time of the last write; 0 for none
non_blocking_aio | no effect | no call waits
op_thread_timeout | no effect | an image has one thread, or the \`workers\` that it is opened with
op_threads | no effect
parent_cache_enabled | no effect | there is no cache shared with other processes
persistent_cache_mode | no effect | there is no persistent cache; siphon refuses an image that still has one
persistent_cache_path | no effect
persistent_cache_size | no effect
plugins | no effect | siphon has no plugins
qos_bps_burst | obeyed | limits of disks that are served to VMs
qos_bps_burst_seconds | obeyed
qos_bps_limit | obeyed
qos_exclude_ops | no effect | limits apply to all kinds of requests
qos_iops_burst | obeyed | limits of disks that are served to VMs
qos_iops_burst_seconds | obeyed
qos_iops_limit | obeyed
qos_read_bps_burst | obeyed
qos_read_bps_burst_seconds | obeyed
qos_read_bps_limit | obeyed
qos_read_iops_burst | obeyed
qos_read_iops_burst_seconds | obeyed
qos_read_iops_limit | obeyed
qos_schedule_tick_min | no effect | a throttled request continues exactly when the limit allows it
qos_write_bps_burst | obeyed | limits of disks that are served to VMs
qos_write_bps_burst_seconds | obeyed
qos_write_bps_limit | obeyed
qos_write_iops_burst | obeyed
qos_write_iops_burst_seconds | obeyed
qos_write_iops_limit | obeyed
quiesce_notification_attempts | obeyed | number of quiesce requests to clients before a snapshot is abandoned
read_from_replica_policy | obeyed | all reads go to the primary (\`default\`), to any OSD that has the data (\`balance\`), or to the nearest (\`localize\`)
readahead_disable_after_bytes | no effect | there is no readahead
readahead_max_bytes | no effect
readahead_trigger_requests | no effect
request_timed_out_seconds | obeyed | seconds without an answer after which siphon asks the owner of an image's lock again
skip_partial_discard | obeyed | \`false\`: discards are exact, whatever \`rbd_discard_granularity_bytes\` says
sparse_read_threshold_bytes | no effect | reads request all bytes; they return the same data
tracing | no effect | there are no LTTng tracepoints
validate_names | refused | \`false\`: names with \`@\` and \`/\` are always refused (EINVAL)
validate_pool | obeyed | \`false\`: no test snapshot in a pool that was never used
`;

export const settingUses: readonly SettingRow[] = rows(table);

function rows(text: string): SettingRow[] {
  let what = "";
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [name, use, said] = line.split(" | ");
      what = said ?? what;
      return { name: `rbd_${name}`, use: use as SettingUse, what };
    });
}
