import type { Disk } from "../../model/disk.ts";
import type { Fact } from "../../model/place.ts";
import { emptyVm, type Vm } from "../../model/vm.ts";
import { readIni } from "../ini.ts";
import type { InputFile } from "../input.ts";
import { monitorsOf } from "../monitors.ts";
import { readYaml, type YamlValue } from "../yaml.ts";

/** Reads a saved SPDK configuration (rpc.py save_config): its bdevs, and the librados clients behind those on RBD. */
export function spdkVm(input: InputFile): Vm {
  const vm = emptyVm("spdk", { file: input.name, line: 1 });
  const calls = readYaml(input).flatMap((document) =>
    document.list("subsystems").flatMap((subsystem) => subsystem.list("config")),
  );
  const clusters = new Map<string, YamlValue>();
  const images = new Map<string, YamlValue[]>();
  for (const call of calls) {
    const method = call.text("method") ?? "";
    if (method === "bdev_rbd_register_cluster") clusters.set(call.text("params", "name") ?? "", call);
    else if (/^bdev_\w+_create$/.test(method) && call.text("params", "name") !== undefined) {
      const cluster = call.text("params", "cluster_name");
      vm.disks.push(bdev(call, method === "bdev_rbd_create", clusters.get(cluster ?? "")));
      if (method === "bdev_rbd_create" && cluster !== undefined)
        images.set(cluster, [...(images.get(cluster) ?? []), call]);
    }
  }
  const [name, most] = [...images].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  if (most !== undefined && most.length > 1) {
    const place = (clusters.get(name!) ?? most[0]!).place("params");
    vm.settings.sharedClient = {
      value: { images: most.length, words: `${most.length} bdevs use the cluster ${name}` },
      place,
    };
  }
  return vm;
}

function bdev(call: YamlValue, isRbd: boolean, cluster: YamlValue | undefined): Disk {
  const params = call.at("params");
  const place = params.place("name");
  const name = params.text("name")!;
  const bus = { value: "none", place } as const;
  if (!isRbd) return { name, place, kind: "data", bus, source: { driver: "other", place } };
  const owner = cluster?.at("params") ?? params;
  const monitors = owner.text("config_param", "mon_host") ?? owner.text("config", "mon_host");
  const user: Fact<string> = { value: owner.text("user_id") ?? "", place: owner.place("user_id") };
  return {
    name,
    place,
    kind: "data",
    bus,
    source: {
      driver: "librbd",
      place,
      pool: params.text("pool_name") ?? "",
      image: params.text("rbd_name") ?? "",
      user,
      ...(monitors !== undefined && {
        monitors: { value: monitorsOf(monitors), place: owner.place("config") },
      }),
    },
    iothread: { state: "unsettable", place },
  };
}

/** The most images that the few threads of one librados client can serve well. */
export const imagesOfOneClient = 8;

/** Reads the configuration of a ceph-nvmeof gateway. */
export function nvmeofVm(input: InputFile): Vm {
  const vm = emptyVm("spdk", { file: input.name, line: 1 });
  vm.managedBy = "ceph-nvmeof";
  const settings = readIni(input);
  const find = (section: string, key: string) =>
    settings.findLast((setting) => setting.section === section && setting.key === key);
  const setting = find("spdk", "bdevs_per_cluster") ?? find("spdk", "flat_bdevs_per_cluster");
  // A connection pool for all images is another way to share clients (control/cluster.py).
  const pool = find("spdk", "cluster_connections");
  // The gateway's own default is 32 (control/grpc.py).
  const images = setting === undefined ? 32 : Number(setting.value);
  if (images > imagesOfOneClient && (pool === undefined || setting !== undefined)) {
    const words =
      setting === undefined
        ? "bdevs_per_cluster is not set, so 32 images share each librados client"
        : `${setting.key} = ${images}`;
    vm.settings.sharedClient = { value: { images, words }, place: setting?.place ?? vm.place };
  }
  const id = find("ceph", "id");
  if (id?.value === "admin") vm.settings.adminUser = { value: "id = admin", place: id.place };
  return vm;
}
