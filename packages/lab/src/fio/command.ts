import { shellQuote } from "../vm/escape.ts";

/** The target of fio: a block device or a file, an export of an NBD server, or an image, through librbd. */
export type FioTarget =
  /** Through libaio unless told. */
  | { filename: string; engine?: FileEngine }
  | { nbd: { socket: string; export: string } }
  /** `user` without `client.`. CEPH_CONF names the configuration; fio has no option for a namespace. */
  | { image: { pool: string; image: string; user: string } };

/** fio's engines for asynchronous I/O of devices and files. */
export type FileEngine = "libaio" | "io_uring";

/** A fio job as in the study: direct I/O, one job. */
export type FioJob = FioTarget & {
  rw: "randread" | "randwrite" | "randrw" | "read" | "write" | "rw";
  /** Percentage of reads in a mixed load; default 50. */
  readPercent?: number;
  /** Bytes. */
  blockSize: number;
  ioDepth: number;
  /** Bytes of the device or file to use; default: all. */
  size?: number;
  /** Measured seconds; undefined: the job ends after `size` bytes. */
  seconds?: number;
  /** Seconds of warm-up with the same load. */
  warmupSeconds?: number;
  /** Seed of the sequence of offsets. */
  seed?: number;
};

/** The arguments of fio for JSON output that `parseFio` reads. */
export function fioCommand(job: FioJob): string[] {
  const { rw, readPercent, blockSize, ioDepth, size, seconds, warmupSeconds, seed } = job;
  return [
    "fio",
    "--name=siphon",
    ...targetOptions(job),
    `--rw=${rw}`,
    `--bs=${blockSize}`,
    `--iodepth=${ioDepth}`,
    "--numjobs=1",
    // No map of used blocks, which would cost a bit for each block and a lookup for each I/O.
    ...(rw.startsWith("rand") ? ["--norandommap"] : []),
    ...(readPercent === undefined ? [] : [`--rwmixread=${readPercent}`]),
    // Percentiles of both directions together cannot be computed from those of each.
    ...(rw === "rw" || rw === "randrw" ? ["--unified_rw_reporting=both"] : []),
    ...(size === undefined ? [] : [`--size=${size}`]),
    ...(seconds === undefined ? [] : [`--runtime=${seconds}`, "--time_based"]),
    ...(warmupSeconds ? [`--ramp_time=${warmupSeconds}`] : []),
    ...(seed === undefined ? [] : [`--randseed=${seed}`]),
    "--percentile_list=50:95:99:99.9",
    "--output-format=json",
  ];
}

/** The options that name what fio works on, and the engine for it. */
export function targetOptions(target: FioTarget): string[] {
  if ("filename" in target) {
    const { filename, engine = "libaio" } = target;
    return [`--filename=${filename.replaceAll(":", "\\:")}`, `--ioengine=${engine}`, "--direct=1"];
  }
  if ("nbd" in target) {
    const { socket, export: exported } = target.nbd;
    return [
      "--ioengine=nbd",
      `--uri=nbd+unix:///${encodeURI(exported)}?socket=${encodeURIComponent(socket)}`,
    ];
  }
  const { pool, image, user } = target.image;
  return ["--ioengine=rbd", `--clientname=${user}`, `--pool=${pool}`, `--rbdname=${image}`];
}

/** The same as one line for a POSIX shell. */
export function fioCommandLine(job: FioJob): string {
  return fioCommand(job).map(shellQuote).join(" ");
}
