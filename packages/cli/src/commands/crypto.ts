import {
  blockSizes,
  type CryptoContext,
  type CryptoResults,
  ceilingHeadline,
  ceilingSentences,
  ceilings,
  datedDirectory,
  format,
  LabError,
  measureCrypto,
  measuredReads,
  readResults,
  seriesOf,
  smallBlockSentence,
  sources,
  study,
  writeCrypto,
} from "@siphon/lab";
import { Command } from "commander";
import { interruption } from "../interruption.ts";
import { plainTable } from "../plain-table.ts";
import { terminalSteps } from "../progress.ts";

interface Flags {
  seconds: string;
  rounds: string;
  threads: string;
  seed?: string;
  run?: string;
  out: string;
  json?: boolean;
}

export function cryptoCommand(): Command {
  return new Command("crypto")
    .description(
      "Measure AES-128-GCM, which encrypts Ceph's messenger, at the study's block sizes, with openssl speed and\n" +
        "with this Node. Shows how many 16 KiB frames a core can decrypt, and the IOPS that this allows.",
    )
    .option(
      "--seconds <n>",
      "CPU seconds (a whole number) of each openssl measurement; Node's take a quarter",
      "1",
    )
    .option("--rounds <n>", "number of repeats of all measurements, in random order", "5")
    .option("--threads <n>", "number of messenger threads to assume", "3")
    .option("--seed <n>", "seed of the random order, to repeat it exactly")
    .option("--run <dir>", "compare the ceiling with the IOPS of this run")
    .option("--out <dir>", "directory for results, with a subdirectory for each", "crypto")
    .option("--json", "print the results as JSON; progress goes to standard error")
    .action(measureAll);
}

async function measureAll(flags: Flags): Promise<void> {
  const [seconds, rounds, threads] = (["seconds", "rounds", "threads"] as const).map((name) =>
    whole(`--${name}`, flags[name], 1),
  );
  const seed =
    flags.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : whole("--seed", flags.seed, 0);
  const reads = flags.run === undefined ? undefined : measuredReads(await readResults(flags.run));
  if (typeof reads === "string") {
    throw new LabError("SIPHON_USAGE", `${flags.run} cannot be compared with the ceiling: ${reads}`);
  }
  const context = { threads, measured: reads };
  const hooks = { step: terminalSteps(), signal: interruption.signal };
  const results = await measureCrypto({ seconds, rounds, seed }, hooks);
  const files = await writeCrypto(datedDirectory(flags.out), results, context);
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(`\n${inWords(results, context)}\n\nReport: ${files.html}\n`);
  interruption.signal.throwIfAborted();
}

function inWords(results: CryptoResults, { threads, measured }: CryptoContext): string {
  const all = ceilings(results, threads, measured);
  const small = smallBlockSentence(results);
  return [
    ceilingHeadline(all),
    ...ceilingSentences(all, threads, measured),
    ...(small === undefined ? [] : [small]),
    "",
    "AES-128-GCM, MB per second of CPU time:",
    speedTable(results),
    "",
    "Frames of 16 KiB, decrypted:",
    plainTable(
      ["by", "frames/s, one core", "CPU a frame", `IOPS of ${threads} threads`, "at 14–20 % of their time"],
      all.map(({ title, framesPerSecond, microseconds, iops, iopsAtShare: { low, high } }) => [
        title,
        format.rounded(framesPerSecond.median),
        `${microseconds.toFixed(1)} µs`,
        format.rounded(iops),
        `${format.rounded(low)}–${format.rounded(high)}`,
      ]),
    ),
    ...results.skipped.map(({ source, reason }) => `\n${sources[source].title} was not measured: ${reason}`),
  ].join("\n");
}

function speedTable(results: CryptoResults): string {
  const megabytes = (bytesPerSecond: number) => format.count(bytesPerSecond / 1e6);
  const rows = (["decrypt", "encrypt"] as const).flatMap((direction) => {
    const own = (["openssl", "evp", "node"] as const).flatMap((source) => {
      const series = seriesOf(results, source, direction);
      if (!series) return [];
      const cells = series.speeds.map(({ speed }) => megabytes(speed.median));
      return [[`${direction}, ${sources[source].title}`, ...cells]];
    });
    if (direction === "encrypt") return own;
    return [
      ...own,
      ["decrypt, the study", ...blockSizes.map((size) => megabytes(study.opensslDecrypt[size] * 1000))],
    ];
  });
  return plainTable(["", ...blockSizes.map((size) => `${size} bytes`)], rows);
}

function whole(option: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= least) return value;
  throw new LabError(
    "SIPHON_USAGE",
    `${option} needs a whole number of at least ${least}, not ${JSON.stringify(text)}`,
  );
}
