/**
 * Command lines as programs that call `rbd` write them, by program. For the marks and placeholders see rbd-command-lines.ts.
 * The lines follow what each program does, and use images of their own, which they remove.
 */
export const clientLines: Readonly<Record<string, string>> = {
  "Proxmox VE, storage plugin (PVE/Storage/RBDPlugin.pm)": `
-p P --auth_supported none create --image-format 2 --size 32768 vm-100-disk-0
-p P --auth_supported none create --image-format 2 --size 4096K --data-pool P vm-100-disk-1
-p P --auth_supported none ls -l --format json
-p P --auth_supported none info vm-100-disk-0 --format json
-p P --auth_supported none info vm-100-disk-7 --format json
-p P --auth_supported none snap create --snap snap1 vm-100-disk-0 --no-progress
-p P --auth_supported none snap ls vm-100-disk-0 --format json
-p P --auth_supported none rename vm-100-disk-0 base-100-disk-0
-p P --auth_supported none snap create --snap __base__ base-100-disk-0 --no-progress
-p P --auth_supported none snap protect base-100-disk-0 --snap __base__
-p P --auth_supported none clone P/base-100-disk-0 --snap __base__ P/vm-101-disk-0
-p P --auth_supported none clone P/base-100-disk-0 --snap __base__ P/vm-102-disk-0 --data-pool P
-p P --auth_supported none children base-100-disk-0 --snap __base__
-p P --auth_supported none rm vm-102-disk-0 --no-progress
-p P --auth_supported none snap rm base-100-disk-0 --snap __base__ --no-progress
-p P --auth_supported none resize --size 36864 vm-101-disk-0 --no-progress
-p P --auth_supported none resize --allow-shrink --size 36000 vm-101-disk-0 --no-progress
-p P --auth_supported none snap rollback --snap snap1 base-100-disk-0 --no-progress
-p P --auth_supported none snap unprotect base-100-disk-0 --snap __base__
-p P --auth_supported none config image set vm-101-disk-0 rbd_cache false
-p P --auth_supported none du vm-101-disk-0 --format json
-p P --auth_supported none status vm-101-disk-0 --format json
-p P --auth_supported none lock list vm-101-disk-0 --format json
-p P --auth_supported none snap purge vm-101-disk-0 --no-progress
-p P --auth_supported none rm vm-101-disk-0 --no-progress
-p P --auth_supported none rm vm-100-disk-1 --no-progress
-p P --auth_supported none snap unprotect base-100-disk-0 --snap __base__
-p P --auth_supported none snap purge base-100-disk-0 --no-progress
-p P --auth_supported none rm base-100-disk-0 --no-progress
`,
  "Cinder and Nova (drivers/rbd.py, backup/drivers/ceph.py, storage/rbd_utils.py)": `
create --id admin --cluster ceph --pool P --size 4 volume-0
export --pool P volume-0 FILE1 --id admin --cluster ceph --no-progress
import --pool P --order 22 FILE1 volume-1 --new-format --id admin --cluster ceph --no-progress
snap create --pool P --image volume-1 --snap backup.1 --id admin --no-progress
export-diff --id admin --pool P P/volume-1@backup.1 FILE2 --no-progress
create --id admin --pool P --size 4 volume-1.base
import-diff --id admin --pool P FILE2 P/volume-1.base --no-progress
snap ls --pool P --image volume-1.base --format json --id admin
import --pool P FILE1 nova_disk --image-format=2 --id admin --no-progress
snap purge --pool P volume-1.base --no-progress --id admin
rm --pool P volume-1.base --no-progress --id admin
rm --pool P nova_disk --no-progress --id admin
`,
  "Incus (internal/server/storage/drivers/driver_ceph_utils.go)": `
--id admin --cluster ceph --pool P --image-feature layering --size 10485760B create container_c1
--id admin --cluster ceph --pool P --image-feature layering --size 10485760B create container_c1
--id admin --cluster ceph --pool P snap create --snap zombie_1 container_c1 --no-progress
--id admin --cluster ceph --pool P --image container_c1 --snap zombie_1 snap protect
--id admin --cluster ceph --image-feature layering clone P/container_c1@zombie_1 P/container_c2
--id admin --cluster ceph --pool P children --image container_c1 --snap zombie_1
--id admin --cluster ceph --pool P --format json children --image container_c1 --snap zombie_1
--id admin --cluster ceph --pool P info container_c1 --format json
--id admin --cluster ceph mv P/container_c2 P/zombie_container_c2
--id admin --cluster ceph --pool P snap rename container_c1@zombie_1 container_c1@zombie_2
--id admin --cluster ceph --pool P --image container_c1 --snap zombie_2 snap unprotect
--id admin --cluster ceph flatten P/zombie_container_c2 --no-progress
--id admin --cluster ceph --pool P rm zombie_container_c2 --no-progress
--id admin --cluster ceph --pool P --image container_c1 --snap zombie_2 snap unprotect
--id admin --cluster ceph --pool P snap rm container_c1@zombie_2 --no-progress
--id admin --cluster ceph --pool P --format json snap ls container_c1
--id admin --cluster ceph --pool P rm container_c1 --no-progress
`,
  "OpenNebula (src/datastore_mad, src/tm_mad/ceph)": `
--id admin import --image-format 2 FILE1 P/one-1 --no-progress
--id admin info P/one-1 --format xml
--id admin du P/one-1 --format xml
--id admin copy P/one-1 P/one-2 --no-progress
--id admin snap create P/one-2@snap --no-progress
--id admin snap protect P/one-2@snap
--id admin clone P/one-2@snap P/one-2-7-0
--id admin --data-pool P clone P/one-2@snap P/one-2-7-1
--id admin children P/one-2@snap
--id admin snap create P/one-2-7-1@backup --no-progress
--id admin export P/one-2-7-1@backup FILE3 --no-progress
--id admin snap rm P/one-2-7-1@backup --no-progress
--id admin rm P/one-2-7-1 --no-progress
--id admin --format xml snap ls P/one-2
--id admin rm P/one-2-7-0 --no-progress
--id admin snap unprotect P/one-2@snap
--id admin snap purge P/one-2 --no-progress
--id admin trash move P/one-2
--id admin trash list P
--id admin trash purge P --no-progress
--id admin rm P/one-1 --no-progress
`,
  "benji (src/benji/scripts, io/rbd.py)": `
snap create P/volume-1@benji-1 --no-progress
diff --whole-object P/volume-1@benji-1 --format=json
diff --whole-object --from-snap backup.1 P/volume-1@benji-1 --format=json
snap ls P/volume-1 --format=json
info P/volume-1 --format=json
snap rm P/volume-1@benji-1 --no-progress
snap rm P/volume-1@backup.1 --no-progress
rm P/volume-1 --no-progress
rm P/volume-0 --no-progress
`,
  "Ganeti (lib/storage/bdev.py), Kubernetes (volume/rbd/rbd_util.go), exporters": `
create -p P gnt --size 16
export -p P gnt FILE9 --no-progress
info -p P gnt --format json
resize -p P --size 32 gnt --no-progress
rm -p P gnt --no-progress
create volume-k --size 1024 --pool P --id admin --image-format 2 --image-feature layering
info volume-k --pool P --id admin --format=json
status volume-k --pool P --id admin
lock list volume-k --pool P --id admin
resize volume-k --size 2048 --pool P --id admin --no-progress
rm volume-k --pool P --id admin --no-progress
rm volume-k --pool P --id admin --no-progress
ls -l P --format json
pool stats P
`,
  "LXD (lxd/storage/drivers/driver_ceph_utils.go), which goes by exit codes": `
--id admin --cluster ceph --pool P --image-feature layering --image-feature exclusive-lock --size 10485760B create vm_v1.block
--id admin --cluster ceph --pool P --image-feature layering --size 10485760B create vm_v3.block
--id admin --cluster ceph --pool P snap create --snap snapshot_s0 vm_v1.block --no-progress
--id admin --cluster ceph --pool P snap protect --snap snapshot_s0 vm_v1.block
--id admin --cluster ceph --pool P snap protect --snap snapshot_s0 vm_v1.block
--id admin --cluster ceph --image-feature layering clone P/vm_v1.block@snapshot_s0 P/vm_v2.block
--id admin --cluster ceph --pool P info vm_v2.block
--id admin --cluster ceph --pool P children --image vm_v1.block --snap snapshot_s0
export-diff --id admin --cluster ceph P/vm_v1.block@snapshot_s0 FILE4 --no-progress
import-diff --id admin --cluster ceph FILE4 P/vm_v3.block --no-progress
--id admin --cluster ceph --pool P --format json snap ls vm_v3.block
--id admin --cluster ceph snap rename P/vm_v1.block@snapshot_s0 P/vm_v1.block@zombie_snapshot_1
--id admin --cluster ceph --pool P snap unprotect --snap zombie_snapshot_1 vm_v1.block
--id admin --cluster ceph --pool P rm vm_v2.block --no-progress
--id admin --cluster ceph --pool P snap unprotect --snap zombie_snapshot_1 vm_v1.block
--id admin --cluster ceph --pool P snap unprotect --snap zombie_snapshot_1 vm_v1.block
--id admin --cluster ceph --pool P snap rm vm_v1.block@zombie_snapshot_1 --no-progress
--id admin --cluster ceph --pool P rm vm_v1.block --no-progress
--id admin --cluster ceph --pool P snap rm vm_v3.block@snapshot_s0 --no-progress
--id admin --cluster ceph --pool P rm vm_v3.block --no-progress
`,
  "REX-Ray (libstorage/drivers/storage/rbd/utils/utils.go)": `
create --pool P --object-size 4M --size 1G --image-feature layering --image-feature exclusive-lock ray1
ls -p P -l --format json
info -p P ray1 --format json
info -p P ray2 --format json
status --pool P ray1 --format json
rm --pool P --no-progress ray1
`,
  "scripts that replicate by export-diff (vandeir/rbd-backup, deltaic)": `
create P/src --size 4
create P/dst --size 1
snap create P/src@day1 --no-progress
export-diff P/src@day1 FILE5 --no-progress
import-diff FILE5 P/dst --no-progress
snap create P/src@day2 --no-progress
export-diff --from-snap day1 P/src@day2 FILE6 --no-progress
import-diff FILE6 P/dst --no-progress
import-diff FILE6 P/dst --no-progress
merge-diff FILE5 FILE6 FILE7 --no-progress
snap ls P/dst --format json
info P/dst@day2
snap rm P/src@day1 --no-progress
export-diff --from-snap day1 P/src@day2 FILE8 --no-progress
snap purge P/src --no-progress
snap purge P/dst --no-progress
rm P/src --no-progress
rm P/dst --no-progress
`,
  "checks and exporters (Prometheus' text files, Icinga), Rook's toolbox": `
create P/watched --size 4
snap create P/watched@old --no-progress
du -p P watched --format json
du P/watched --exact --format json
snap ls P/watched --format json --pretty-format
status P/watched --format json --pretty-format
lock ls P/watched --format json
image-meta list P/watched --format json
trash ls -p P --format json
trash ls P --all --long
namespace create P/rook
namespace ls P --format json
create P/rook/csi-vol --size 1G --image-feature layering
ls -p P --namespace rook --format json
info P/rook/csi-vol --format json
trash mv P/rook/csi-vol
namespace rm P/rook
trash purge P/rook --no-progress
namespace rm P/rook
snap purge P/watched --no-progress
rm P/watched --no-progress
`,
};
