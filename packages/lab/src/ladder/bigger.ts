import { LabError } from "../errors.ts";
import { type FioJob, fioCommand } from "../fio/fio.ts";
import type { Report } from "../step.ts";
import { studyBiggerFigure } from "../study/bigger.ts";
import type { Vm } from "../vm/vm.ts";
import type { Measurer, PlannedClimb } from "./measure.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderRecord } from "./record.ts";

/** The part of the image that the file fills; XFS wants some for itself. */
const FILE_SHARE = 0.7;

const file = { directory: "/mnt/bigger", name: "/mnt/bigger/file" };

interface Step {
  name: string;
  title: string;
  rw: "write" | "randread" | "randwrite";
  job: Partial<FioJob>;
}

/**
 * The study's bigger test, in the VM of one rung: XFS on the image, a file filled with large sequential
 * writes, then random reads and random writes of 16 KiB in it. It destroys what the image held.
 */
export async function biggerTest(
  rung: PlannedClimb,
  measurer: Measurer,
  record: LadderRecord,
  options: LadderOptions,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<void> {
  report("booting the VM and making XFS");
  await using vm = await measurer.start(rung, signal);
  await inGuest(vm, `mkfs.xfs -q -f ${vm.device}`, signal);
  await inGuest(vm, `mkdir -p ${file.directory} && mount -t xfs ${vm.device} ${file.directory}`, signal);
  const size = Math.floor((options.size * FILE_SHARE) / 2 ** 22) * 2 ** 22;
  for (const [order, step] of steps(options).entries()) {
    report(step.title);
    const job = { rw: step.rw, size, device: file.name, seed: options.seed, ...step.job } as FioJob;
    const expected = (step.job.seconds ?? 120) + (step.job.warmup ?? 0);
    const label = `bigger-${step.name}`;
    const run = await measurer.load(vm, label, fioCommand(job), expected, { repeat: 0, order }, signal);
    const { name, title } = step;
    const study = studyBiggerFigure(step.rw);
    record.addBigger(rung.rung.name, { name, title, run: { ...run, outlier: false }, study });
  }
  await inGuest(vm, `umount ${file.directory}`, signal);
}

function steps({ seconds, warmup, iodepth }: LadderOptions): Step[] {
  const small = { bs: 16 * 1024, iodepth, seconds, warmup };
  return [
    {
      name: "fill",
      title: "4 MiB sequential writes",
      rw: "write",
      // Once over the whole file, however long it takes.
      job: { bs: 4 * 2 ** 20, iodepth: 16, seconds: undefined, warmup: 0 },
    },
    { name: "randread", title: "16 KiB random reads", rw: "randread", job: small },
    { name: "randwrite", title: "16 KiB random writes", rw: "randwrite", job: small },
  ];
}

async function inGuest(vm: Vm, command: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stdout, stderr } = await vm.run(command, { signal, timeoutMs: 120_000 });
  if (exitCode === 0) return;
  throw new LabError("SIPHON_GUEST", `in the guest, ${command} failed: ${(stderr || stdout).trim()}`);
}
