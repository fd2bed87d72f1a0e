import { Listr, ListrLogger, PRESET_TIMER, ProcessOutput } from "listr2";

/** Tells the terminal what a step is doing now. */
export type Report = (text: string) => void;

/** A step of a longer job: a title, and work that may report what it does. */
export interface Step {
  title: string;
  run: (report: Report) => Promise<unknown>;
}

/**
 * Runs steps one after the other and shows them on standard error with their time, so that standard output
 * stays free for results (`--json`). Plain lines where standard error is not a terminal.
 */
export async function runSteps(steps: Step[], { quiet = false } = {}): Promise<void> {
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });
  const options = { logger, timer: PRESET_TIMER };
  const list = new Listr<unknown, "default", "verbose">([], {
    renderer: "default",
    rendererOptions: { ...options, collapseErrors: false },
    fallbackRenderer: "verbose",
    fallbackRendererOptions: options,
    fallbackRendererCondition: () => !process.stderr.isTTY,
    silentRendererCondition: () => quiet,
    registerSignalListeners: false,
  });
  for (const step of steps) {
    list.add({
      title: step.title,
      task: async (_, task) => {
        await step.run((text) => {
          task.output = text;
        });
      },
    });
  }
  await list.run();
}
