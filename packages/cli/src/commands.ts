import type { CommandEntry } from "./command-entry.ts";

/** Every command of siphon, in the order of the help. Loading only the one that is called keeps start-up short. */
export const commands: CommandEntry[] = [
  {
    name: "ladder",
    summary: "climb the ladder: measure a VM on Ceph in every configuration of the study, and report",
    load: async () => (await import("./commands/ladder.ts")).ladderCommand(),
  },
  {
    name: "baseline",
    summary: "measure the cluster without a VM: librbd and kernel RBD, by cluster size and wire",
    load: async () => (await import("./commands/baseline.ts")).baselineCommand(),
  },
  {
    name: "report",
    summary: "build the report of a finished run again",
    load: async () => (await import("./commands/report.ts")).reportCommand(),
  },
  {
    name: "compare",
    summary: "hold runs against each other, rung by rung",
    load: async () => (await import("./commands/compare.ts")).compareCommand(),
  },
  {
    name: "crypto",
    summary: "how fast this machine encrypts, and the IOPS that this allows",
    load: async () => (await import("./commands/crypto.ts")).cryptoCommand(),
  },
  {
    name: "profile",
    summary: "where the threads of a process are, on a CPU or not, and which of them limits",
    load: async () => (await import("./commands/profile.ts")).profileCommand(),
  },
  {
    name: "cluster",
    summary: "bring a Ceph cluster up on this machine, look at it, take it down",
    load: async () => (await import("./commands/cluster.ts")).clusterCommand(),
  },
  {
    name: "status",
    takesCephSettings: true,
    summary: "a Ceph cluster's health, daemons, data and traffic",
    load: async () => (await import("./commands/status.ts")).statusCommand(),
  },
  {
    name: "ceph",
    takesCephSettings: true,
    exits: "errno",
    summary: "any command of the ceph program, without that program",
    load: async () => (await import("./commands/ceph.ts")).cephCommand(),
  },
  {
    name: "rados",
    takesCephSettings: true,
    exits: "one",
    summary: "objects and pools, as the rados program, without that program",
    load: async () => (await import("./commands/rados.ts")).radosCommand(),
  },
  {
    name: "rbd",
    takesCephSettings: true,
    summary: "images on RBD: create, list, resize, snapshot, clone, remove",
    load: async (args) => (await import("./commands/rbd.ts")).rbdCommand(args),
    arrange: async (args) => (await import("./commands/rbd/options-last.ts")).arrangeRbd(args),
    exits: "errno",
  },
  {
    name: "locate",
    takesCephSettings: true,
    summary: "where an object is: its placement group and OSDs",
    load: async () => (await import("./commands/locate.ts")).locateCommand(),
  },
  {
    name: "plan",
    summary: "take over test plans of CBT",
    load: async () => (await import("./commands/plan.ts")).planCommand(),
  },
  {
    name: "vm",
    summary: "run a VM from any rung on any image, by hand",
    load: async () => (await import("./commands/vm.ts")).vmCommand(),
  },
  {
    name: "attach",
    takesCephSettings: true,
    summary: "serve RBD images to VMs, over vhost-user-blk or NBD",
    load: async () => (await import("./commands/attach.ts")).attachCommand(),
  },
  {
    name: "image",
    summary: "put images into RBD: import, resize, prefill; build a guest",
    load: async () => (await import("./commands/image.ts")).imageCommand(),
  },
  {
    name: "root",
    summary: "another release of Ceph and QEMU beside this machine's",
    load: async () => (await import("./commands/root.ts")).rootCommand(),
  },
  {
    name: "doctor",
    summary: "what VMs on RBD miss, and what this machine has",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand(),
  },
  {
    name: "clean",
    summary: "stop and remove whatever an earlier crash left behind",
    load: async () => (await import("./commands/clean.ts")).cleanCommand(),
  },
  {
    name: "completion",
    summary: "a script that completes siphon's commands in bash, zsh or fish",
    load: async () => (await import("./commands/completion.ts")).completionCommand(commands),
  },
];
