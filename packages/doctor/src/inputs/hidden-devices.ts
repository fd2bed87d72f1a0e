import type { Vm } from "../model/vm.ts";

/** Notes device paths that other systems create for their guests: the inputs do not show what is behind them. */
export function noteHiddenDevices(vm: Vm): void {
  const paths = vm.disks.flatMap(({ source }) => (source.driver === "other" ? (source.path ?? []) : []));
  const claims = paths.filter((path) => vm.managedBy === "kubevirt" && /^\/dev\/[^/]+$/.test(path));
  if (claims.length > 0)
    vm.unseen.push(
      `what is behind ${claims.join(", ")}: the VM's manifest with its claims and StorageClass says it (kubectl get vm,pvc,storageclass -o yaml)`,
    );
  const managed = paths.filter((path) => /^\/(var\/)?run\/vdsm\/managedvolumes\//.test(path));
  if (managed.length > 0)
    vm.unseen.push(`what is behind ${managed.join(", ")}: ls -l and rbd device list on the host say it`);
}
