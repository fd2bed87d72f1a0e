import { writeFileSync } from "node:fs";
import type { Finding } from "./campaign.ts";

export interface ProgressOptions {
  lines: readonly string[];
  /** Number of the first line. */
  from: number;
  /** File for the findings. */
  json?: string;
  /** The options of the run, for that file. */
  run: object;
}

/** Tells how far a campaign is, and at the end what it found; also if it was ended early. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #began = performance.now();
  readonly #done = new Set<string>();
  readonly #findings: Finding[] = [];
  #told = this.#began;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Findings that no deliberate difference explains. */
  get open(): number {
    return this.#findings.filter(({ differences }) => differences.length === 0).length;
  }

  add(line: string, finding: Finding | undefined): void {
    this.#done.add(line);
    if (finding !== undefined) this.#findings.push(finding);
    const now = performance.now();
    if (now - this.#told < interval) return;
    this.#told = now;
    const all = this.#options.lines.length;
    const seconds = (this.#seconds / this.#done.size) * (all - this.#done.size);
    console.error(
      `${this.#done.size} of ${all} lines, ${this.open} unexplained, about ${clock(seconds)} left`,
    );
  }

  /** Synchronous, because a signal may have ended the campaign. */
  end(): void {
    const { lines, from, json, run } = this.#options;
    const done = this.#done.size;
    const counts = {
      ...{ lines: done, same: done - this.#findings.length },
      ...{ deliberate: this.#findings.length - this.open, unexplained: this.open },
    };
    const time = clock(this.#seconds);
    console.log(
      `${done} lines in ${time}: ${counts.same} the same, ${counts.deliberate} different on purpose, ${counts.unexplained} otherwise`,
    );
    const next = lines.findIndex((line) => !this.#done.has(line));
    if (next >= 0) console.log(`continue with --from ${from + next}`);
    if (json === undefined) return;
    const order = new Map(lines.map((line, index) => [line, index]));
    const findings = this.#findings
      .sort((a, b) => order.get(a.line)! - order.get(b.line)!)
      .map(({ differences, ours, theirs, ...rest }) => ({
        ...rest,
        differences: differences.map(({ about }) => about),
        siphon: ours,
        rbd: theirs,
      }));
    writeFileSync(json, `${JSON.stringify({ run, ...counts, seconds: this.#seconds, findings }, null, 2)}\n`);
  }

  get #seconds(): number {
    return Math.round((performance.now() - this.#began) / 1000);
  }
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Milliseconds between two reports. */
const interval = 20_000;
