/**
 * Command lines for both `rbd` and `siphon rbd`, in this order, each in its own pool: P stands for the pool. A line with `!` writes
 * data; `rbd` runs it in both pools, so that both get the same data. `ID:image` and `ID:image@snapshot` stand for the ids in the pool.
 * A number such as `20:` is the first release that prints the same; with an older rbd, only siphon runs the line.
 * The remains are compared. Deep copies with snapshots are removed before that, because rbd 16 gets their object maps wrong.
 */
export const commandLines = `
ls P
ls P --format json
ls -l P
create P/plain --size 20M
create P/plain --size 20M
create P/striped --size 1G --stripe-unit 64K --stripe-count 4 --object-size 1M
create P/old --size 12M --image-feature layering
create P/shared --size 8M --image-shared
create -p P --image byflag --size 4M
create P/large --size 2T --object-size 32M
create P/odd --size 5 --order 20
create P/bad --size 1M --image-feature nonsense
create P/none
ls P
ls P --format json
ls P --format json --pretty-format
ls P --format xml
ls P --format xml --pretty-format
ls -l P
ls -l P --format json
ls -l P --format xml --pretty-format
list P
info P/plain
info P/plain --format json
info P/plain --format json --pretty-format
info P/plain --format xml
info P/plain --format xml --pretty-format
info P/striped
info P/striped --format json
info P/old
info P/shared
info P/large
info P/odd
info -p P --image byflag
info P/nothing
info P/plain@nothing
info nopool/plain
info P/plain --unknown
status P/plain
status P/plain --format json
status P/plain --format xml
status P/nothing
!bench P/plain --io-type write --io-size 64K --io-total 1M --io-threads 1
!bench P/old --io-type write --io-size 4K --io-total 512K --io-threads 1
!bench P/striped --io-type write --io-size 64K --io-total 2M --io-threads 1
du P/plain
du P/plain --format json
du P/plain --exact
du P/old
du P/striped
du P/nothing
du -p P
du -p P --format json
du -p P --format xml --pretty-format
diff P/plain
diff P/plain --format json
diff P/plain --format xml
diff P/plain --whole-object
diff P/striped
diff P/nothing
snap ls P/plain
snap create P/plain@one --no-progress
snap create P/plain@one --no-progress
snap create P/plain --no-progress
snap create P/nothing@one --no-progress
snap ls P/plain
snap ls P/plain --format json
snap ls P/plain --format json --pretty-format
snap ls P/plain --format xml
snap ls P/plain --all
snap ls P/plain --all --format json
snap ls P/nothing
!bench P/plain --io-type write --io-size 32K --io-total 256K --io-threads 1
snap create P/plain@two --no-progress
snap rename P/plain@two P/plain@zwei
snap rename P/plain@two P/plain@drei
snap protect P/plain@one
snap protect P/plain@one
snap protect P/plain@nothing
snap rm P/plain@one --no-progress
snap rm P/plain@nothing --no-progress
info P/plain@one
info P/plain@one --format json
info P/plain@zwei
du P/plain
du P/plain@one
du P/plain --format json
du P/plain --from-snap one
du P/plain --merge-snapshots
du -p P --exact
diff P/plain --from-snap one
diff P/plain@zwei --from-snap one --format json
diff P/plain --from-snap nothing
snap limit set P/plain --limit 2
snap create P/plain@three --no-progress
info P/plain
snap limit clear P/plain
clone P/plain@one P/child
clone P/plain@zwei P/child2
clone P/plain@nothing P/child3
clone P/plain@one P/child
children P/plain
children P/plain@one
children P/plain --format json
children P/plain --format xml
children P/plain --all --format json --pretty-format
children P/old
info P/child
info P/child --format json
info P/child --format xml
ls -l P
ls -l P --format xml
du P/child
diff P/child
snap unprotect P/plain@one
!bench P/child --io-type write --io-size 64K --io-total 128K --io-threads 1
du P/child
flatten P/child --no-progress
flatten P/old --no-progress
info P/child
children P/plain
snap unprotect P/plain@one
snap unprotect P/plain@one
snap rollback P/plain@one --no-progress
snap rollback P/plain@nothing --no-progress
du P/plain
diff P/plain
rm P/plain --no-progress
rm P/nothing --no-progress
resize P/plain --size 40M --no-progress
resize P/plain --size 10M --no-progress
resize P/plain --size 10M --allow-shrink --no-progress
resize P/nothing --size 10M --no-progress
info P/plain
object-map check P/plain --no-progress
object-map rebuild P/plain --no-progress
object-map check P/plain@one --no-progress
object-map rebuild P/plain@one --no-progress
object-map check P/child --no-progress
object-map check P/old --no-progress
object-map rebuild P/old --no-progress
object-map check P/nothing --no-progress
mirror pool info P
mirror pool info P --format json
mirror pool info P --format xml
mirror pool status P
mirror image status P/plain
mirror image status P/nothing
lock ls P/plain
lock ls P/plain --format json
lock ls P/plain --format xml
lock ls P/nothing
export P/plain FILE --no-progress
export P/plain FILE --no-progress
import FILE P/imported --no-progress
import FILE P/imported --no-progress
export P/nothing FILE --no-progress
diff P/imported
info P/imported
snap rm P/plain@zwei --no-progress
snap create P/old@kept --no-progress
snap create P/old@gone --no-progress
snap protect P/old@kept
snap purge P/old --no-progress
snap ls P/old --format json
snap purge P/plain@one --no-progress
snap purge P/plain --no-progress
snap ls P/plain
rm P/old@kept --no-progress
rm P/odd --no-progress
rm P/byflag --no-progress
ls P
info P/odd
rename P/shared P/renamed
rename P/shared P/renamed
rename P/renamed P/old
ls P
info P/renamed
group ls P
group create P/g
group create P/g
group create P/second
group create
group create P/g@s
group create -p P --group third
group ls P
group ls P --format json --pretty-format
group ls P --format xml
group rename P/third P/fourth
group rename P/fourth P/second
group rename -p P --group fourth --dest-pool P --dest-group third
group image add P/g P/plain
group image add P/g P/plain
group image add P/g P/old
group image add --group-pool P --image-pool P --group g --image renamed
group image add P/second P/plain
group image add P/nothing P/plain
group image ls P/g
group image ls P/g --format xml --pretty-format
group image ls P/nothing
group image rm P/second P/nothing
group image rm P/g P/renamed
group image rm P/g P/renamed
info P/plain
info P/plain --format xml
rm P/plain --no-progress
20:group snap ls P/g
group snap create P/g@one
group snap create P/g@one
group snap create P/g
group snap create -p P --group g --snap two --skip-quiesce
!bench P/plain --io-type write --io-size 64K --io-total 512K --io-threads 1
!bench P/old --io-type write --io-size 4K --io-total 64K --io-threads 1
20:group snap ls P/g
20:group snap ls P/g --format xml
20:group snap ls P/nothing
20:group snap ls P/g --format json --pretty-format
20:group snap info P/g@one
20:group snap info P/g@one --format json --pretty-format
20:group snap info P/g@one --format xml
20:group snap info P/g@nothing
20:group snap info P/g
20:group info P/g
20:group info P/g --format json
20:group info P/g --format xml --pretty-format
20:group info P/nothing
snap ls P/plain --all
snap ls P/plain --all --format json --pretty-format
snap ls P/plain --all --format xml
info P/plain
du P/plain
group snap rename P/g@two three
group snap rename P/g@two four
group snap rename P/g@three P/g@four
group snap rename P/g@three one
group snap rollback P/g@one --no-progress
group snap rollback P/g@nothing --no-progress
diff P/plain
rm P/old --no-progress
group snap rm P/g@three
group snap rm P/g@three
snap ls P/old --all
group rm P/second
group rm P/second
group rm P/g
group ls P
snap ls P/plain --all
info P/plain
image-meta set P/plain colour green
image-meta get P/plain colour
image-meta get P/plain taste
image-meta list P/plain
image-meta list P/plain --format json
image-meta list P/plain --format xml
image-meta remove P/plain colour
image-meta remove P/plain colour
image-meta list P/plain
feature disable P/plain fast-diff
info P/plain
feature enable P/plain fast-diff
feature enable P/plain nonsense
info P/plain --format json
namespace create P/inner
namespace create P/inner
namespace ls P
namespace ls P --format json
namespace ls P --format xml
create P/inner/deep --size 1M
ls P/inner
info P/inner/deep
namespace remove P/inner
rm P/inner/deep --no-progress
namespace remove P/inner
trash mv P/child
trash mv P/nothing
trash ls P --format json
ls P
cp P/plain P/copied --no-progress
cp P/plain P/copied --no-progress
cp P/nothing P/copied2 --no-progress
info P/copied
diff P/copied
cp -p P --image imported --dest-pool P --dest copied3 --no-progress
cp P/plain nopool/x --no-progress
cp P/plain x --no-progress
deep cp P/plain x --no-progress
export -p P --image plain --path FILE2 --no-progress
import --path FILE2 --dest-pool P --dest imported2 --sparse-size 64K --no-progress
import FILE2 P/imported3 --sparse-size 3K --no-progress
import NOFILE P/imported4 --no-progress
diff P/imported2
!bench P/imported --io-type write --io-size 4K --io-total 8K --io-threads 1
sparsify P/imported --no-progress
sparsify P/imported --sparse-size 64K --no-progress
sparsify P/imported --sparse-size 8M --no-progress
sparsify P/imported --sparse-size 3000 --no-progress
sparsify P/imported@one --no-progress
sparsify P/nothing --no-progress
du P/imported --exact
object-map check P/imported --no-progress
trash purge schedule add -p P 12h
trash purge schedule add -p P --namespace inner nonsense
trash purge schedule add -p P
trash purge schedule ls -p P
trash purge schedule ls -p P --format json
trash purge schedule ls -p P -R
trash purge schedule ls -p P -R --format json
trash purge schedule ls -p P -R --format xml --pretty-format
trash purge schedule ls -p nopool
trash purge schedule status -p P
trash purge schedule status -p P --format json
trash purge schedule status -p P --format xml
trash purge schedule remove -p P 12h
trash purge schedule ls -p P
perf image iostat nopool
perf image iostat P --sort-by nonsense
perf image iostat P --iterations 0
perf image iostat P --iterations 2 --format json
lock add P/renamed mine --shared tag
lock ls P/renamed --format json
create P/f --size 8M --image-format 2
config image set P/f rbd_cache 7
config image get P/f rbd_cache
config image rm P/f rbd_cache
feature disable P/f journaling
feature enable P/f fast-diff --journal-splay-width x
namespace ls P --namespace inner
create P/half --size 1M --stripe-unit 64K
create P/hand --size 4M
lock add P/hand mine
lock add P/hand other
resize P/hand --size 5M --no-progress
feature disable P/hand fast-diff
flatten P/hand --no-progress
create P/f1 --size 8M --image-format 1
create P/f3 --size 8M --image-format 3
import FILE P/f1 --image-format 1 --no-progress
create P/ordered --size 8M --order 11
create P/thick --size 9M --thick-provision --no-progress
create P/thickstriped --size 5M --object-size 1M --stripe-unit 64K --stripe-count 3 --thick-provision --no-progress
du P/thick --exact
du P/thickstriped --exact
create P/j --size 8M --journal-splay-width 2 --journal-object-size 8M --journal-pool nopool
create P/j3 --size 8M --journal-object-size 3K
create P/j5 --size 8M --journal-splay-width nonsense
20:create P/m --size 8M --mirror-image-mode journal
create P/m --size 8M --mirror-image-mode nonsense
20:cp P/f P/m --mirror-image-mode snapshot --no-progress
20:rm P/m --no-progress
cp P/f P/f4 --journal-pool nopool --no-progress
create --image-feature layering --image-feature exclusive-lock P/first --size 1M
--size 4M create P/sized
-p P ls
--pool P --image f info
-p P snap --format json ls f
snap add P/f@s1 --no-progress
snap create P/f@s2 --no-progress
snap revert P/f@s2 --no-progress
feature enable P/f@s1 fast-diff
feature disable P/f@s1 fast-diff
encryption format P/f@s1 luks1 FILE
snap limit set P/f@s1 --limit 5
snap limit set P/f --limit x
snap limit clear P/f@s1
snap ls P/f@s1
lock ls P/f@s1
lock add P/f@s1 mine
status P/f@s1
image-meta set P/f@s1 a b
config image ls P/f@s1
trash mv P/f@s1
rename P/f@s1 P/x
rename P/f P/x@s1
clone P/f@s1 P/x@s1
import FILE P/x@s1 --no-progress
import-diff FILE P/f@s1 --no-progress
snap create P/f@a@b --no-progress
snap rename P/f@s1 P/thick@s
snap rename P/f@s1 --dest-snap s3
snap rename P/f@s1 --dest f --dest-snap s3
snap rename -p P --image f --snap s3 --dest-pool P --dest f --dest-snap s4
snap rename -p P --image f --snap s4 P/f@s5
snap rename P/f@s5 s6
snap rename P/f@s5
snap ls P/f
info -p P --image-id ID:f
info -p P --image-id ID:f --snap s5 --format json
info -p P --image-id ID:f --image f
info -p P --image-id 1234
snap ls -p P --image-id ID:f
snap rm -p P --image-id ID:f --snap nothing --no-progress
snap rm P/f --snap-id ID:f@s2 --no-progress
snap rm P/f@s5 --snap-id ID:f@s2
snap rm P/f --snap-id 4711
snap rm P/f --snap-id nonsense
snap rm P/f --snap-id ID:f@s2
snap ls P/f
snap protect P/f@s5
snap rm P/f --snap-id ID:f@s5
clone P/f@s5 P/b
clone P/f@s5 P/c --rbd-default-clone-format 2
snap create P/c@k --no-progress
clone P/c@k P/a --rbd-default-clone-format 2
clone P/c@k P/away --rbd-default-clone-format 2
trash mv P/away
children P/f --descendants
children P/f --descendants --all --format json
children P/f@s5 --descendants --format xml
children P/f --snap-id ID:f@s5
children P/f@s5 --snap-id ID:f@s5
children P/f --snap-id 4711
snap unprotect -p P --image-id ID:f --snap s5
snap rm P/f@s5 --force --no-progress
children P/f --descendants
info P/b
snap ls P/f --all
clone P/old@kept P/undeep --image-feature layering --rbd-default-clone-format 2
snap create P/undeep@k --no-progress
snap rm P/old@kept --force --no-progress
info P/undeep
trash mv P/c
info -p P --image-id ID:c
snap ls -p P --image-id ID:c
snap rm -p P --image-id ID:c --snap k --force --no-progress
snap purge -p P --image-id ID:c --no-progress
trash rm -p P --image-id ID:c --no-progress
trash ls P
mirror pool info P --all
mirror pool status P --verbose
bench P/f
bench P/f --io-type nonsense
bench P/f --io-type read --io-size 0
bench P/f --io-type read --io-size 5G
bench P/f --io-type read --io-threads x
bench P/f --io-type rw --rw-mix-read 101
bench P/f --io-type rw --rw-mix-read x
create --image P/spec --size 8M
!bench P/spec --io-type write --io-size 4K --io-total 64K --io-threads 1
snap create --image P/spec@s --no-progress
!bench P/spec --io-type write --io-size 64K --io-total 1M --io-threads 1
resize --image P/spec --size 12M --no-progress
snap create P/spec --snap t --no-progress
snap protect --image P/spec@s
info --image P/spec
info --image P/spec@s --format json
info --image P/spec --pool nopool
info P/spec --image nothing
snap ls --image P/spec
clone --image P/spec@s --dest P/spec1
clone --image P/spec@s P/spec2
clone P/spec@s --dest P/spec3
20:clone P/spec --snap-id ID:spec@t P/spec4 --rbd-default-clone-format 2
20:clone P/spec@s --snap-id 4711 P/spec5
20:rm P/spec4 --no-progress
cp --image P/spec --dest P/spec6 --no-progress
cp P/spec@s --dest P/spec7 --no-progress
cp --image P/spec@s P/spec8 --no-progress
deep cp P/spec@t P/spec9 --no-progress
deep cp P/spec@nothing P/spec10 --no-progress
deep cp -p P --image spec --snap s --dest-pool P --dest spec11 --no-progress
snap ls P/spec9
info P/spec11
snap unprotect P/spec9@s
snap purge P/spec9 --no-progress
rm P/spec9 --no-progress
snap unprotect P/spec11@s
snap purge P/spec11 --no-progress
rm P/spec11 --no-progress
rename --image P/spec8 --dest P/spec12
mv P/spec12 --dest P/spec13
mv P/spec13 --dest spec14
config image set P/spec rbd_cache
config image get P/spec
config image get
config image set --image P/spec rbd_cache false
config image get P/spec rbd_cache
config pool get
config global set global rbd_cache_size 1M
config global set client rbd_cache true
config global get global rbd_cache_size
config global get client rbd_cache_size
config global ls global
config global ls client.somebody --format json
config global ls client --format xml
config global rm global rbd_cache_size
config global rm client rbd_cache
config global ls global
config global set global rbd_cache
config global get somebody rbd_cache
config global get global debug_ms
feature disable --image P/spec fast-diff
image-meta set --image P/spec k v
image-meta get P/spec k
lock add --image P/spec one
export --image P/spec FILE3 --no-progress
import FILE3 --dest P/spec15 --no-progress
import FILE3 --image P/spec16 --no-progress
import --path FILE3 P/spec17 --no-progress
du --image P/spec
diff --image P/spec
status --image P/spec14
group create P/spec
group image add --group spec --group-pool P --image P/spec
group image rm P/spec --image P/spec
trash mv --image P/spec17
trash mv P/spec16 --expires-at nonsense
trash purge P --threshold x --no-progress
!create P/aged --size 9M --image-format 1
!bench P/aged --io-type write --io-size 64K --io-total 1M --io-threads 1
!snap create P/aged@s --no-progress
!bench P/aged --io-type write --io-size 4K --io-total 64K --io-threads 1
ls P
info P/aged
info P/aged --format json
info P/aged@s
snap ls P/aged
status P/aged
diff P/aged
du P/aged
export P/aged FILE9 --no-progress
import FILE9 P/fromaged --no-progress
cp P/aged@s P/fromagedsnap --no-progress
children P/aged@s
lock ls P/aged
rename P/aged P/fromaged
rename P/aged P/older
ls P
info P/older
rm P/older --no-progress
!snap rm P/older@s --no-progress
rm P/older --no-progress
rm P/older --no-progress
create P/big --size 100E
rm P/large --no-progress
ls -l P --format json
create P/rounded --size 4M --object-size 3K
create P/rounded12 --size 4M --object-size 12M
info P/rounded12
diff P/rounded12
diff P/rounded12 --format json
namespace create P/trees
create P/trees/root --size 4M
snap create P/trees/root@s --no-progress
clone P/trees/root@s P/trees/leaf1 --rbd-default-clone-format 2
clone P/trees/root@s P/trees/leaf2 --rbd-default-clone-format 2
snap rm P/trees/root@s --no-progress
rm P/trees/root --rbd-move-parent-to-trash-on-remove=true --no-progress
rm P/trees/leaf1 --no-progress
trash ls P/trees --all
rm P/trees/leaf2 --no-progress
trash ls P/trees --all
create P/trees/trunk --size 4M
snap create P/trees/trunk@s --no-progress
clone P/trees/trunk@s P/trees/branch --rbd-default-clone-format 2
snap rm P/trees/trunk@s --no-progress
rm P/trees/trunk --rbd-move-parent-to-trash-on-remove=true --no-progress
trash ls P/trees --all
flatten P/trees/branch --no-progress
trash ls P/trees --all
`;
