/**
 * The verbs of `rbd` that siphon has, with their arguments and options. A row holds the verb; the kinds of its arguments; and its
 * options. An option with `*` is on every command line. F stands for `--format`.
 */
export const verbs = `
create | NEW | *--size=4M --size=0,5x,,1T --order=20,9,x --object-size=1M,3K,x --image-feature=layering,nonsense,exclusive-lock,object-map --image-shared --stripe-unit=64K --data-pool=P,nopool --image-format=1,2,3 --thick-provision --no-progress
ls | POOL | F --long
info | ANY | F
status | IMAGE | F
resize | IMAGE | *--no-progress *--size=6M --size=8M,2M,x,0 --allow-shrink
rm | IMAGE | *--no-progress
clone | SNAP NEW | --image-feature=layering,nonsense --order=20,9 --rbd-default-clone-format=1,2,3 --data-pool=nopool --image-shared --stripe-unit=64K
flatten | IMAGE | *--no-progress
children | ANY | F --all --descendants --snap-id=9999,x
du | ANY | F --exact --from-snap=s1,none --merge-snapshots
diff | ANY | F --from-snap=s1,none --whole-object
object-map check | ANY | *--no-progress
object-map rebuild | ANY | *--no-progress
sparsify | IMAGE | *--no-progress --sparse-size=64K,3K,8M,x
snap ls | IMAGE | F --all --image-id=ID:plain,none
snap create | NEWSNAP | *--no-progress --skip-quiesce --ignore-quiesce-error
snap rm | SNAP | *--no-progress --force --snap-id=9999,x
snap rename | SNAP NEWSNAP |
snap protect | SNAP |
snap unprotect | SNAP | --image-id=ID:plain,none
snap rollback | SNAP | *--no-progress
snap purge | IMAGE | *--no-progress --image-id=ID:plain,none
snap limit set | IMAGE | *--limit=7 --limit=0,x,-1
snap limit clear | IMAGE |
export | ANY OUT | *--no-progress --export-format=1,3,x --path=OUT
export-diff | ANY OUT | *--no-progress --from-snap=s1,none --whole-object
import | IN NEW | *--no-progress --export-format=1,2,3 --order=20,9 --sparse-size=64K,3K --image-feature=layering --image-format=1
import-diff | DIFFIN IMAGE | *--no-progress --sparse-size=64K,3K
merge-diff | DIFFIN DIFFIN OUT | *--no-progress
rename | IMAGE NEW |
cp | ANY NEW | *--no-progress --order=20,9 --image-feature=layering --sparse-size=64K,3K --data-pool=nopool
deep cp | ANY NEW | *--no-progress --flatten --order=20,9 --image-feature=layering
lock ls | IMAGE | F
lock add | IMAGE LOCKID | --shared=tag
lock rm | IMAGE LOCKID LOCKER |
trash ls | POOL | F --all --long
trash mv | IMAGE | --expires-at=2040-01-01,nonsense,2001-01-01
trash rm | TRASHID | *--no-progress --force
trash restore | TRASHID | --image=back,plain
trash purge | POOL | *--no-progress --threshold=0.5,2,x --expired-before=2041-01-01,nonsense
image-meta list | IMAGE | F
image-meta get | IMAGE KEY |
image-meta set | IMAGE KEY VALUE |
image-meta remove | IMAGE KEY |
config global ls | WHO | F
config global get | WHO OPTION |
config pool ls | POOL | F
config pool get | POOL OPTION |
config pool set | POOL OPTION VALUE |
config pool rm | POOL OPTION |
config image ls | IMAGE | F
config image get | IMAGE OPTION |
config image set | IMAGE OPTION VALUE |
config image rm | IMAGE OPTION |
feature enable | IMAGE FEATURE | --journal-splay-width=2,x
feature disable | IMAGE FEATURE |
group create | NEWGROUP |
group ls | POOL | F
group info | GROUP | F
group rename | GROUP NEWGROUP |
group rm | GROUP |
group image add | GROUP IMAGE |
group image ls | GROUP | F
group image rm | GROUP IMAGE |
group snap create | NEWGROUPSNAP | --skip-quiesce --ignore-quiesce-error
group snap ls | GROUP | F
group snap rename | GROUPSNAP NEWNAME |
group snap rm | GROUPSNAP |
group snap rollback | GROUPSNAP | *--no-progress
group snap info | GROUPSNAP | F
namespace create | NEWNAMESPACE |
namespace ls | POOL | F
namespace rm | NAMESPACE |
pool init | POOL |
pool stats | POOL | F
mirror pool info | POOL | F
mirror pool status | POOL | F
mirror image status | IMAGE | F
trash purge schedule ls | POOL |
bench | IMAGE | --io-type=nonsense --io-size=0,x --io-threads=0,x --io-pattern=nonsense
encryption format | IMAGE CIPHER PASSPHRASE | --cipher-alg=aes-128,des
migration prepare | IMAGE NEW |
device ls | | F
journal info | IMAGE |
`;

/** Values for each kind of argument. The first value is valid. P is the pool. */
export const kinds: Readonly<Record<string, readonly string[]>> = {
  NEW: [
    "P/new",
    "P/plain",
    "nopool/new",
    "new",
    "P/ns/new",
    "P/nons/new",
    "P/new@s",
    "P/a/b/c",
    "P/",
    "P/new@",
  ],
  IMAGE: [
    ...[
      "P/plain",
      "P/clone",
      "P/clone2",
      "P/old",
      "P/locked",
      "P/member",
      "P/none",
      "P/ns/inner",
      "P/nons/x",
    ],
    ...["nopool/plain", "plain", "P/plain@s1", "P/a/b/c", "P/plain@"],
  ],
  ANY: [
    ...["P/plain", "P/plain@s1", "P/clone", "P/clone2", "P/old@s", "P/none", "P/plain@none", "P/ns/inner"],
    ...["nopool/plain", "plain", "P/plain@s1@s2", "P/plain@"],
  ],
  SNAP: [
    "P/plain@s2",
    "P/plain@s1",
    "P/plain@none",
    "P/plain",
    "P/none@s",
    "P/old@s",
    "P/plain@s1/x",
    "nopool/a@s",
  ],
  NEWSNAP: ["P/plain@s3", "P/plain@s1", "P/plain", "P/none@s", "P/plain@a/b", "P/clone@s", "P/ns/inner@s"],
  POOL: ["P", "P/ns", "P/nons", "nopool", "P/a/b"],
  IN: ["FILE", "NOFILE", "DIRECTORY", "GARBAGE"],
  DIFFIN: ["DIFF", "NOFILE", "DIRECTORY", "GARBAGE"],
  OUT: ["NEWFILE", "DIRECTORY", "/dev/full", "NODIRECTORY/x"],
  LOCKID: ["other", "mine"],
  LOCKER: ["client.1", "nonsense", "client.x"],
  TRASHID: ["P/ID:trashed", "P/none", "P/ID:plain", "ID:trashed", "nopool/x"],
  KEY: ["k", "none"],
  VALUE: ["true", "nonsense", "7"],
  WHO: ["global", "client", "client.x", "nonsense"],
  OPTION: ["rbd_cache", "rbd_qos_iops_limit", "rbd_default_order", "rbd_op_threads", "nonsense", "debug_ms"],
  FEATURE: [
    "fast-diff",
    "object-map",
    "exclusive-lock",
    "layering",
    "journaling",
    "nonsense",
    "deep-flatten",
  ],
  GROUP: ["P/g", "P/empty", "P/none", "nopool/g", "g", "P/g@gs", "P/ns/g", "P/a/b/c"],
  NEWGROUP: ["P/new", "P/g", "nopool/new", "P/new@s", "P/ns/new", "P/nons/new"],
  GROUPSNAP: ["P/g@gs", "P/g@none", "P/none@gs", "P/g", "P/empty@gs"],
  NEWGROUPSNAP: ["P/g@new", "P/g@gs", "P/none@new", "P/g", "P/empty@new"],
  NEWNAME: ["renamed", "gs", "P/g@renamed", "P/empty@x", "a/b"],
  NEWNAMESPACE: ["P/new", "P/ns", "P", "nopool/new", "P/a/b"],
  NAMESPACE: ["P/bare", "P/ns", "P/nons", "P", "nopool/x"],
  CIPHER: ["luks1", "luks2", "des"],
  PASSPHRASE: ["FILE", "NOFILE"],
};

/** Options that replace an argument of a kind. The first line is valid. */
export const named: Readonly<Record<string, readonly string[]>> = {
  NEW: ["--pool P --image new"],
  IMAGE: ["--pool P --image plain", "--image P/plain", "--image P/plain P/old", "--image none --pool P"],
  ANY: ["--pool P --image plain", "--pool P --image plain --snap s1", "--image P/plain@s1", "--image P/none"],
  SNAP: ["--pool P --image plain --snap s2", "--image P/plain@s2", "--image P/plain --snap none"],
  NEWSNAP: ["--pool P --image plain --snap s3", "--image P/plain@s3"],
  POOL: ["--pool P", "--pool P --namespace ns", "--pool nopool"],
  GROUP: ["--pool P --group g", "--group P/g"],
  NEWGROUP: ["--pool P --group new"],
  GROUPSNAP: ["--pool P --group g --snap gs"],
  NEWGROUPSNAP: ["--pool P --group g --snap new"],
  NEWNAMESPACE: ["--pool P --namespace new"],
  NAMESPACE: ["--pool P --namespace bare"],
  TRASHID: ["--pool P --image-id ID:trashed"],
};

export const formats = [
  ...["--format json", "--format xml", "--format json --pretty-format", "--format xml --pretty-format"],
  ...["--format nonsense", "--format plain"],
];
