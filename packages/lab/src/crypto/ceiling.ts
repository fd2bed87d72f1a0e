import type { Estimate, MeasuredRung, Results } from "../results/schema.ts";
import { opensslDecrypt } from "../study/figures.ts";
import { type CryptoResults, type SourceName, seriesOf, sources } from "./results.ts";

/** The block of the study's random reads: one encrypted frame carries it. */
export const frameBytes = 16_384;

/** Percent of their time that the study found its messenger threads to spend in OpenSSL. */
export const studyShare = { low: 14, high: 20 };

/** The ceiling that decryption of 16 KiB frames sets. */
export interface Ceiling {
  source: SourceName | "study";
  title: string;
  /** Frames per second on one core that only decrypts. */
  framesPerSecond: Estimate;
  /** Microseconds of CPU a frame. */
  microseconds: number;
  /** IOPS of `threads` messenger threads that only decrypt. */
  iops: number;
  /** IOPS of these threads if decryption takes the share of their time seen in the study. */
  iopsAtShare: { low: number; high: number };
  /** Percent of the threads' time that decryption takes at the measured IOPS. */
  shareAtMeasured?: number;
}

/** IOPS of a run to compare with the ceilings. */
export interface MeasuredReads {
  rung: string;
  iops: Estimate;
  /** False when the run has no encrypted rung: then decryption would come on top. */
  encrypted: boolean;
}

/** The ceilings that decryption sets, the study's last. */
export function ceilings(results: CryptoResults, threads: number, measured?: MeasuredReads): Ceiling[] {
  const own = (["openssl", "evp", "node"] as const).flatMap((source) => {
    const speed = seriesOf(results, source, "decrypt")?.speeds.find(({ size }) => size === frameBytes)?.speed;
    return speed ? [ceiling(source, sources[source].title, speed, threads, measured)] : [];
  });
  const speed = opensslDecrypt[frameBytes] * 1000;
  const study = ceiling("study", "the study", { median: speed, low: speed, high: speed }, threads, measured);
  return [...own, study];
}

/** The random reads of a ladder to compare with the ceilings: encrypted ones if it has them, otherwise the fastest. */
export function measuredReads({ rungs, workload }: Results): MeasuredReads | string {
  if (workload.blockSize !== frameBytes || workload.rw !== "randread") {
    return "the run did not read blocks of 16 KiB at random";
  }
  const measured = rungs.filter((rung): rung is MeasuredRung => rung.status === "measured");
  const secure = measured.find(({ name }) => name === "secure");
  const rung = secure ?? measured.toSorted((a, b) => b.summary.iops.median - a.summary.iops.median).at(0);
  if (!rung) return "no rung of the run was measured";
  return { rung: rung.title, iops: rung.summary.iops, encrypted: secure !== undefined };
}

function ceiling(
  source: Ceiling["source"],
  title: string,
  speed: Estimate,
  threads: number,
  measured: MeasuredReads | undefined,
): Ceiling {
  const per = (bytesPerSecond: number) => bytesPerSecond / frameBytes;
  const framesPerSecond = { median: per(speed.median), low: per(speed.low), high: per(speed.high) };
  const iops = framesPerSecond.median * threads;
  return {
    source,
    title,
    framesPerSecond,
    microseconds: 1e6 / framesPerSecond.median,
    iops,
    iopsAtShare: { low: (iops * studyShare.low) / 100, high: (iops * studyShare.high) / 100 },
    ...(measured && { shareAtMeasured: (measured.iops.median / iops) * 100 }),
  };
}
