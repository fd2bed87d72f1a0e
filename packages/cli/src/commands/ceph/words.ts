/**
 * The words of the ceph program's commands, for completion: each line has the words so far and what may follow them, as
 * the monitors of Ceph 16.2 describe their commands. A command's arguments are looked up in the cluster when it is
 * called.
 */
const table = `
: auth compact config config-key connection daemon device df dump_historic_ops dump_historic_slow_ops features fs fsid health heap injectargs log mds mgr mon mon_status node ops osd pg ping quorum quorum_status report service sessions smart status sync_force tell time-sync-status version versions
pg: cancel-force-backfill cancel-force-recovery debug deep-scrub dump dump_stuck force-backfill force-recovery getmap ls ls-by-osd ls-by-pool ls-by-primary map repair repeer scrub stat
osd: blocked-by blocklist count-metadata crush deep-scrub destroy df down dump erasure-code-profile find force-create-pg force_healthy_stretch_mode force_recovery_stretch_mode get-require-min-compat-client getcrushmap getmap getmaxosd in info last-stat-seq lost ls ls-tree map metadata new numa-status ok-to-stop out pause perf pg-temp pg-upmap pg-upmap-items pool primary-affinity primary-temp purge purge-actual purge-new repair require-osd-release reweight reweight-by-pg reweight-by-utilization reweightn rm-pg-upmap rm-pg-upmap-items safe-to-destroy scrub set set-backfillfull-ratio set-full-ratio set-group set-nearfull-ratio set-require-min-compat-client setcrushmap setmaxosd stat stop test-reweight-by-pg test-reweight-by-utilization tier tree tree-from unpause unset unset-group utilization versions
osd pool: application cancel-force-backfill cancel-force-recovery create deep-scrub force-backfill force-recovery get get-quota ls mksnap rename repair rm rmsnap scrub set set-quota stats
service: dump status
config: assimilate-conf dump generate-minimal-conf get help log ls reset rm set show show-with-defaults
device: info ls ls-by-daemon ls-by-host rm-life-expectancy set-life-expectancy
auth: add caps export get get-key get-or-create get-or-create-key import ls print-key rm
fs: add_data_pool authorize compat dump fail feature flag get ls mirror new required_client_features reset rm rm_data_pool set set-default
log: last
health: mute unmute
mon: add count-metadata dump enable-msgr2 enable_stretch_mode feature getmap metadata ok-to-add-offline ok-to-rm ok-to-stop rm scrub set set-addrs set-rank set-weight set_location set_new_tiebreaker stat versions
node: ls
mds: count-metadata fail metadata ok-to-stop repaired rm rmfailed stat versions
fs compat: show
fs flag: set
fs feature: ls
fs mirror: disable enable peer_add peer_remove
mon feature: ls set
mon set: election_strategy
mon add: disallowed_leader
mon rm: disallowed_leader
osd crush: add add-bucket class create-or-move dump get-device-class get-tunable link ls move rename-bucket reweight reweight-all reweight-subtree rm rm-device-class rule set set-all-straw-buckets-to-straw2 set-device-class set-tunable show-tunables swap-bucket tree tunables unlink weight-set
osd crush rule: create-erasure create-replicated create-simple dump ls ls-by-class rename rm
osd crush class: create ls ls-osd rename rm
osd crush weight-set: create create-compat dump ls reweight reweight-compat rm rm-compat
osd erasure-code-profile: get ls rm set
osd blocklist: add clear ls rm
osd pool application: disable enable get rm set
osd tier: add add-cache cache-mode rm rm-overlay set-overlay
config-key: dump exists get ls rm set
mgr: count-metadata dump fail metadata module services stat versions
mgr module: disable enable ls
connection: scores
connection scores: dump reset
quorum: enter exit
`;

export const cephWords: ReadonlyMap<string, readonly string[]> = new Map(
  table
    .trim()
    .split("\n")
    .map((line) => {
      const [path = "", words = ""] = line.split(/: ?/);
      return [path, words.split(" ")];
    }),
);
