import { count, percent, rounded } from "../report/format.ts";
import type { Ceiling, MeasuredReads } from "./ceiling.ts";
import { studyShare } from "./ceiling.ts";
import { type CryptoResults, seriesOf } from "./results.ts";

/** "4,038 MB/s". */
export function speedText(bytesPerSecond: number): string {
  return `${count(bytesPerSecond / 1e6)}\u00a0MB/s`;
}

/** The main finding: what one core decrypts, and what that allows. */
export function ceilingHeadline(all: readonly Ceiling[]): string {
  const here = all.filter(({ source }) => source !== "study");
  const best = here.toSorted((a, b) => b.framesPerSecond.median - a.framesPerSecond.median).at(0);
  const study = all.find(({ source }) => source === "study");
  if (!best || !study) return "Nothing here can encrypt.";
  return `One core decrypts ${rounded(best.framesPerSecond.median)} frames of 16 KiB a second here (${best.title}); in the study, ${rounded(study.framesPerSecond.median)}.`;
}

/** Consequences of the ceilings for messenger threads, and for a measured run. */
export function ceilingSentences(
  all: readonly Ceiling[],
  threads: number,
  measured: MeasuredReads | undefined,
): string[] {
  const openssl = all.find(({ source }) => source === "openssl") ?? all[0];
  const share = `${studyShare.low} to ${percent(studyShare.high)}`;
  const sentences = [
    `${threads === 1 ? "One messenger thread" : `${threads} messenger threads`} that did nothing but decrypt would carry ${rounded(openssl.iops)} IOPS by ${openssl.title}. Spending ${share} of their time on it, as the study saw its three do, they can carry ${rounded(openssl.iopsAtShare.low)} to ${rounded(openssl.iopsAtShare.high)}. From its own figure the study expected 120,000 to 130,000, and measured 87,000.`,
  ];
  if (measured) {
    const load = openssl.shareAtMeasured ?? 0;
    const iops = `“${measured.rung}”, ${rounded(measured.iops.median)} IOPS`;
    sentences.push(
      measured.encrypted
        ? `At the measured ${iops}, decryption takes ${percentOf(load)} of their time: ${load < 50 ? "it is not what limits" : "it is most of what limits"}.`
        : `The run has no encrypted rung. At ${iops}, decryption would take ${percentOf(load)} of their time.`,
    );
  }
  return sentences;
}

/** The speed for blocks of 16 bytes against 16 KiB: the cost of many small segments. */
export function smallBlockSentence(results: CryptoResults): string | undefined {
  const speeds = seriesOf(results, "openssl", "decrypt")?.speeds;
  const [small, large] = [
    speeds?.find(({ size }) => size === 16),
    speeds?.find(({ size }) => size === 16_384),
  ];
  if (!small || !large) return undefined;
  return `In blocks of 16 bytes a byte costs ${count(large.speed.median / small.speed.median)} times as much as in blocks of 16 KiB: many small segments are what to avoid.`;
}

function percentOf(value: number): string {
  return value < 1 ? `${value.toPrecision(2)}\u00a0%` : percent(value);
}
