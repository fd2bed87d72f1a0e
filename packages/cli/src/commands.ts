import type { CommandEntry } from "./command-entry.ts";
import { isPlainAttach, isPlainBench } from "./small-heap.ts";

/** Every command of siphon, in the order of the help. Loading only the one that is called keeps start-up short. */
export const commands: CommandEntry[] = [
  {
    name: "ladder",
    summary: "measure a VM on Ceph with one more setting at each rung, and write a report",
    load: async () => (await import("./commands/ladder.ts")).ladderCommand(),
  },
  {
    name: "baseline",
    summary: "measure the cluster without a VM: librbd and kernel RBD, by cluster size and wire",
    load: async () => (await import("./commands/baseline.ts")).baselineCommand(),
  },
  {
    name: "density",
    summary: "measure increasing numbers of VMs on one host: with librbd, and with siphon's processes",
    load: async () => (await import("./commands/density.ts")).densityCommand(),
  },
  {
    name: "report",
    summary: "rebuild the report of a finished run",
    load: async () => (await import("./commands/report.ts")).reportCommand(),
  },
  {
    name: "compare",
    summary: "compare runs, rung by rung",
    load: async () => (await import("./commands/compare.ts")).compareCommand(),
  },
  {
    name: "runs",
    summary: "list, show, compare and remove runs; show a plan's runs over time",
    load: async () => (await import("./commands/runs.ts")).runsCommand(),
  },
  {
    name: "crypto",
    summary: "measure how fast this machine encrypts, and the IOPS that this allows",
    load: async () => (await import("./commands/crypto.ts")).cryptoCommand(),
  },
  {
    name: "profile",
    summary: "show where the threads of a process spend their time, and which thread is the limit",
    load: async () => (await import("./commands/profile.ts")).profileCommand(),
  },
  {
    name: "cluster",
    summary: "start a Ceph cluster on this machine, show its state, stop it",
    load: async () => (await import("./commands/cluster.ts")).clusterCommand(),
  },
  {
    name: "status",
    takesCephSettings: true,
    summary: "show a Ceph cluster's health, daemons, data and traffic",
    load: async () => (await import("./commands/status.ts")).statusCommand(),
  },
  {
    name: "ceph",
    takesCephSettings: true,
    exits: "errno",
    summary: "run any command of the ceph program, without that program",
    load: async () => (await import("./commands/ceph.ts")).cephCommand(),
  },
  {
    name: "rados",
    takesCephSettings: true,
    exits: "one",
    summary: "work with objects and pools as the rados program does, without that program",
    load: async () => (await import("./commands/rados.ts")).radosCommand(),
  },
  {
    name: "rbd",
    takesCephSettings: true,
    summary: "work with RBD images as the rbd program does, without that program",
    load: async (args) => (await import("./commands/rbd.ts")).rbdCommand(args),
    arrange: async (args) => (await import("./commands/rbd/options-last.ts")).arrangeRbd(args),
    isPlainLoad: isPlainBench,
    exits: "rbd",
  },
  {
    name: "locate",
    takesCephSettings: true,
    summary: "show the placement group and the OSDs of an object",
    load: async () => (await import("./commands/locate.ts")).locateCommand(),
  },
  {
    name: "plan",
    summary: "convert test plans of CBT",
    load: async () => (await import("./commands/plan.ts")).planCommand(),
  },
  {
    name: "vm",
    summary: "run a VM manually, with the settings of any rung and any image",
    load: async () => (await import("./commands/vm.ts")).vmCommand(),
  },
  {
    name: "attach",
    takesCephSettings: true,
    isPositional: true,
    summary: "serve RBD images to VMs over vhost-user-blk or NBD",
    load: async () => (await import("./commands/attach.ts")).attachCommand(),
    isPlainLoad: isPlainAttach,
  },
  {
    name: "attachd",
    takesCephSettings: true,
    summary: "run the service that serves disks to VMs; disks are added and removed while it runs",
    load: async () => (await import("./commands/attachd.ts")).attachdCommand(),
  },
  {
    name: "image",
    summary: "prepare RBD images: import, resize, prefill; build a guest",
    load: async () => (await import("./commands/image.ts")).imageCommand(),
  },
  {
    name: "root",
    summary: "build other releases of Ceph and QEMU beside this machine's own",
    load: async () => (await import("./commands/root.ts")).rootCommand(),
  },
  {
    name: "doctor",
    summary: "examine the disks of VMs, or this machine",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand(),
  },
  {
    name: "clean",
    summary: "stop and remove the remains of an earlier crash",
    load: async () => (await import("./commands/clean.ts")).cleanCommand(),
  },
  {
    name: "completion",
    summary: "print a script that completes siphon's commands in bash, zsh or fish",
    load: async () => (await import("./commands/completion.ts")).completionCommand(commands),
  },
];
