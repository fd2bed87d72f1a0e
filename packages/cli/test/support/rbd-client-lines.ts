/**
 * Command lines as programs that call `rbd` write them, by program; marks and places are those of rbd-command-lines.ts.
 * They are written after what each program does, and with images of their own, which go again.
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
-p P --auth_supported none children base-100-disk-0 --snap __base__
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
--id admin children P/one-2@snap
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
};
