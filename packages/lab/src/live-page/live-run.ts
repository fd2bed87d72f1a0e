import { cpuChart } from "../report/charts/cpu.ts";
import { ladderChart } from "../report/charts/ladder.ts";
import { renderChart } from "../report/charts/render.ts";
import type { Format } from "../report/charts/rows.ts";
import { findings } from "../report/findings.ts";
import type { Results } from "../results/schema.ts";
import type { StepRunner } from "../step.ts";

/** The current state of a run, and its steps so far. */
export interface LiveState {
  /** Milliseconds since 1970. */
  began: number;
  /** The steps so far; the last one is in progress until it has a duration. */
  steps: { title: string; seconds?: number }[];
  /** The latest report of the current step. */
  doing: string;
  /** Estimated end of the climb in milliseconds since 1970. */
  until?: number;
  /** Set at the end. */
  ended?: { failure?: string; report?: string };
}

/** The charts so far, in both widths. */
export type LiveCharts = Record<string, Record<Format, string>>;

/** Receives the latest state and charts. */
export interface Watcher {
  state(state: LiveState): void;
  charts(charts: LiveCharts): void;
}

/** Least milliseconds between drawings of charts, which take 100 ms of CPU. */
const DRAWN_EVERY_MS = 2_000;

/**
 * A run for watchers. Charts are drawn only while there are watchers, and between slices, so that no slice is
 * disturbed.
 */
export class LiveRun {
  readonly #watchers = new Set<Watcher>();
  readonly #now: () => number;
  readonly #state: LiveState;
  #charts: LiveCharts | undefined;
  #drawn = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds since 1970 */
  constructor(now = Date.now) {
    this.#now = now;
    this.#state = { began: now(), steps: [], doing: "" };
  }

  /** Sends a watcher the latest state and all updates; returns a function that ends this. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    watcher.state(this.#state);
    if (this.#charts) watcher.charts(this.#charts);
    return () => void this.#watchers.delete(watcher);
  }

  /** A step runner that also reports each step to watchers. */
  steps(run: StepRunner): StepRunner {
    return (title, work) =>
      run(title, async (report) => {
        const began = this.#now();
        const step: LiveState["steps"][number] = { title };
        this.#state.steps.push(step);
        this.#say("");
        try {
          return await work((text) => {
            this.#say(text);
            report(text);
          });
        } finally {
          step.seconds = Math.round((this.#now() - began) / 1000);
          delete this.#state.until;
          this.#say("");
        }
      });
  }

  /** Draws the results so far, if there are watchers and the charts are old enough; call it between measurements. */
  async show(results: () => Results, secondsLeft: number | undefined): Promise<void> {
    const now = this.#now();
    if (secondsLeft !== undefined) this.#state.until = now + secondsLeft * 1000;
    if (this.#watchers.size === 0 || now - this.#drawn < DRAWN_EVERY_MS) return;
    this.#drawn = now;
    await this.#draw(results);
    this.#tell();
  }

  /** The last event for watchers. */
  async end(ended: NonNullable<LiveState["ended"]>, results?: Results): Promise<void> {
    this.#state.ended = ended;
    delete this.#state.until;
    if (results && this.#watchers.size > 0) await this.#draw(() => results);
    this.#say("");
  }

  /** A chart that cannot be drawn does not end the run: watchers keep the previous one. */
  async #draw(results: () => Results): Promise<void> {
    try {
      this.#charts = await drawn(results());
    } catch {
      return;
    }
    for (const watcher of this.#watchers) watcher.charts(this.#charts);
  }

  #say(text: string): void {
    this.#state.doing = text;
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher.state(this.#state);
  }
}

/** The report's own charts of what a rung gives and costs. */
async function drawn(results: Results): Promise<LiveCharts> {
  const found = findings(results);
  const charts = [ladderChart(found), cpuChart(found)].filter((chart) => chart !== undefined);
  const rendered = await Promise.all(charts.map(renderChart));
  return Object.fromEntries(rendered.map(({ name, inline }) => [name, inline]));
}
