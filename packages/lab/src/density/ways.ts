/** A way to attach the disks of many VMs on one host. */
export interface DensityWay {
  name: "librbd" | "siphon-each" | "siphon-one";
  title: string;
  /** The rung of the ladder whose settings all its VMs have. */
  rung: string;
  /** One server process serves all VMs. */
  together: boolean;
}

/** The first way is the base of comparisons. */
export const densityWays: readonly DensityWay[] = [
  { name: "librbd", title: "librbd in each QEMU", rung: "librados-threads", together: false },
  { name: "siphon-each", title: "siphon, a process for each VM", rung: "siphon-vhost", together: false },
  { name: "siphon-one", title: "siphon, one process for all", rung: "siphon-vhost", together: true },
];

export const wayNames = densityWays.map(({ name }) => name) as [DensityWay["name"], ...DensityWay["name"][]];
