import { shellQuote } from "../vm/escape.ts";

/** The target of fio: a block device or a file, through libaio, or an image, through librbd. */
export type FioTarget =
  | { filename: string }
  /** `user` without `client.`; the configuration comes by CEPH_CONF, and a namespace cannot be named. */
  | { image: { pool: string; image: string; user: string } };

/** A fio job in the study's manner: direct, one job. */
export type FioJob = FioTarget & {
  rw: "randread" | "randwrite" | "randrw" | "read" | "write" | "rw";
  /** Share of reads in a mixed load; 50 unless told. */
  readPercent?: number;
  /** Bytes. */
  blockSize: number;
  ioDepth: number;
  /** Bytes of the device or file that are used; the whole of it when not given. */
  size?: number;
  /** Seconds that are measured; when not given the job ends when it has done `size` bytes. */
  seconds?: number;
  /** Seconds of the same load before them. */
  warmupSeconds?: number;
  /** Makes the sequence of offsets the same every time. */
  seed?: number;
};

/** The words of a fio call whose JSON `parseFio` reads. */
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
    // Without a map of the blocks already used: a bit for each block, and a lookup for each I/O.
    ...(rw.startsWith("rand") ? ["--norandommap"] : []),
    ...(readPercent === undefined ? [] : [`--rwmixread=${readPercent}`]),
    // The percentiles of both directions together cannot be had from those of each.
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
    return [`--filename=${target.filename.replaceAll(":", "\\:")}`, "--ioengine=libaio", "--direct=1"];
  }
  const { pool, image, user } = target.image;
  return ["--ioengine=rbd", `--clientname=${user}`, `--pool=${pool}`, `--rbdname=${image}`];
}

/** The same as one line for a POSIX shell. */
export function fioCommandLine(job: FioJob): string {
  return fioCommand(job).map(shellQuote).join(" ");
}
