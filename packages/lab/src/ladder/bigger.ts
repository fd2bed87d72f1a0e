import { LabError } from "../errors.ts";
import type { FioJob } from "../fio/command.ts";
import { twice } from "../load/interleaved.ts";
import type { BiggerStep } from "../results/schema.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { Report } from "../step.ts";
import { studyBiggerFigure } from "../study/bigger.ts";
import type { Vm } from "../vm/vm.ts";
import type { Measurer } from "./measure.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderRecord } from "./record.ts";

/** Fraction of the image for the file; XFS needs the rest. */
const FILE_SHARE = 0.7;

const file = { directory: "/mnt/bigger", name: "/mnt/bigger/file" };

interface Step {
  name: string;
  title: string;
  rw: "write" | "randread" | "randwrite";
  load: Pick<FioJob, "blockSize" | "ioDepth" | "seconds" | "warmupSeconds">;
}

/**
 * The rungs for the bigger test: the last ones of librbd and of siphon over vhost-user-blk, each unencrypted and
 * encrypted, to match the study's pair. Side rungs count only if siphon serves them.
 */
export function biggerRungs(climbed: readonly PlannedClimb[]): PlannedClimb[] {
  const kindOf = ({ rung, settings: { server, clientOptions } }: PlannedClimb) =>
    server === "nbd" || (rung.aside && server === undefined)
      ? undefined
      : `${server} ${clientOptions.ms_client_mode}`;
  const last = new Map(climbed.map((each) => [kindOf(each), each]));
  last.delete(undefined);
  return last.size > 0 ? [...last.values()] : climbed.slice(-1);
}

/**
 * The study's bigger test, in the VM of one rung: XFS on the image, a file filled with large sequential writes, then
 * random reads and random writes of 16 KiB in it. It destroys the image's content. If the VM hangs, the test is
 * repeated once.
 */
export async function biggerTest(
  rung: PlannedClimb,
  measurer: Measurer,
  record: LadderRecord,
  options: LadderOptions,
  hooks: { report: Report; signal: AbortSignal },
): Promise<void> {
  for (const step of await twice(() => measureSteps(rung, measurer, options, hooks))) {
    record.addBigger(rung.rung.name, step);
  }
}

async function measureSteps(
  rung: PlannedClimb,
  measurer: Measurer,
  options: LadderOptions,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<BiggerStep[]> {
  report("booting the VM and making XFS");
  await using vm = await measurer.start(rung, signal);
  const device = await measurer.device(vm, signal);
  await inGuest(vm, `mkfs.xfs -q -f ${device}`, signal);
  await inGuest(vm, `mkdir -p ${file.directory} && mount -t xfs ${device} ${file.directory}`, signal);
  const size = Math.floor((options.size * FILE_SHARE) / 2 ** 22) * 2 ** 22;
  const encrypted = rung.settings.clientOptions.ms_client_mode === "secure";
  const made: BiggerStep[] = [];
  for (const [order, step] of steps(options).entries()) {
    report(step.title);
    const { name, title, rw, load } = step;
    const job: FioJob = { filename: file.name, rw, size, seed: options.seed, ...load };
    const run = await measurer.load(
      vm,
      `bigger-${rung.rung.name}-${name}`,
      job,
      { repeat: 0, order },
      signal,
    );
    const study = studyBiggerFigure(rw, { encrypted });
    made.push({ name, title, run: { ...run, outlier: false }, study });
  }
  await inGuest(vm, `umount ${file.directory}`, signal);
  return made;
}

function steps({ seconds, warmup, iodepth }: LadderOptions): Step[] {
  const small = { blockSize: 16 * 1024, ioDepth: iodepth, seconds, warmupSeconds: warmup };
  return [
    // The fill covers the whole file once, without a time limit.
    {
      name: "fill",
      title: "4 MiB sequential writes",
      rw: "write",
      load: { blockSize: 4 * 2 ** 20, ioDepth: 16 },
    },
    { name: "randread", title: "16 KiB random reads", rw: "randread", load: small },
    { name: "randwrite", title: "16 KiB random writes", rw: "randwrite", load: small },
  ];
}

async function inGuest(vm: Vm, command: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stdout, stderr } = await vm.run(command, { signal, timeoutMs: 120_000 });
  if (exitCode === 0) return;
  const [reason = "it said nothing"] = (stderr || stdout).trim().split("\n");
  throw new LabError("SIPHON_GUEST", `in the guest, ${command} failed: ${reason}`);
}
